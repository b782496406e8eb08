// Telling the service what somebody did, and what was told from this page.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { eventId, get, itemPath, post, userPath } from "./api.js";
import { ItemField } from "./people.js";
import { date, number, t } from "./words.js";

const sent = []; // of this tab
const SHOWN = 20;

export function Events({ card, who }) {
  const own = card.kinds.map((k) => k.name);
  const further = Object.keys(card.further_kinds);
  const [item, take] = useState(null);
  const [problem, tell] = useState("");
  const [done, say] = useState("");
  const [asked, again] = useState(0);
  const send = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const said = { event_id: eventId(), source: "page", user_id: form.get("user").trim(), item_id: item ? item.item_id : "", type: form.get("type") };
    if (form.get("value") !== "") said.value = Number(form.get("value"));
    tell(""); say("");
    try {
      const answer = await post("/events", { events: [said] });
      sent.unshift({ ...said, title: item.title, at: new Date(), accepted: answer.accepted });
      say(t(answer.accepted ? "taken in" : "known already"));
      again((n) => n + 1);
    } catch (error) { tell(error.message); }
  };
  return html`<h1>${t("view events")}</h1><div class="two"><article><h2>${t("tell")}</h2>
    <${ItemField} id="event-item" label=${t("item")} take=${take} />
    ${item && html`<p class="chosen">${item.title || item.item_id} <small>${item.item_id}</small></p>`}
    <form onSubmit=${send}><label>${t("user")}<input name="user" required value=${who.user} autocomplete="off" /></label>
      <label>${t("type")}<select name="type">${own.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        ${further.length > 0 && html`<optgroup label=${t("other kinds")}>${further.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</optgroup>`}</select></label>
      <label>${t("value")}<input name="value" type="number" step="any" /></label>
      <button disabled=${!item}>${t("send")}</button></form>
    ${problem && html`<p role="alert" class="problem">${problem}</p>`}<p role="status">${done}</p></article>
    <article><h2>${t("told here")}</h2>${sent.length ? html`<div class="scroll"><table><thead><tr><th scope="col">${t("user")}</th><th scope="col">${t("item")}</th>
      <th scope="col">${t("type")}</th></tr></thead><tbody>${sent.map((one) => html`<tr key=${one.event_id}><td>${one.user_id}</td>
      <td>${one.title || one.item_id}</td><td>${one.type}${one.value === undefined ? "" : ` ${one.value}`}</td></tr>`)}</tbody></table></div>` : html`<p><small>${t("nothing told")}</small></p>`}
      </article></div>
    ${who.kind === "person" && who.user && html`<${Heard} user=${who.user} asked=${asked} />`}`;
}

// What counts for one person, the latest first.
function Heard({ user, asked }) {
  const [rows, show] = useState(null);
  useEffect(() => {
    let late = false;
    const title = ({ item_id }) => get(itemPath(item_id)).then((item) => item.title || item_id).catch(() => item_id);
    get(userPath(user), { limit: 1, export: true }).then(async ({ history }) => {
      const last = history.slice(-SHOWN).reverse();
      const titles = await Promise.all(last.map(title));
      if (!late) show({ all: history.length, last: last.map((row, n) => ({ ...row, title: titles[n] })) });
    }).catch(() => { if (!late) show(null); });
    return () => { late = true; };
  }, [user, asked]);
  return rows && html`<article class="heard"><h2>${t("counts for", { who: user })}</h2><div class="scroll"><table><thead><tr><th scope="col">${t("item")}</th>
    <th scope="col">${t("strength")}</th><th scope="col">${t("time")}</th></tr></thead><tbody>${rows.last.map((row, n) => html`<tr key=${n}><td>${row.title}</td>
    <td>${number(row.strength)}</td><td>${row.time ? date(row.time) : "–"}</td></tr>`)}</tbody></table></div>
    <p><small>${t("latest of", { n: number(rows.last.length, 0), all: number(rows.all, 0) })}</small></p></article>`;
}
