// Telling the service what somebody did, and what was told from this page.
import { html, useState } from "/static/vendor/preact.js";
import { post } from "./api.js";
import { ItemField } from "./people.js";
import { t } from "./words.js";

const sent = []; // of this tab

export function Events({ card, who }) {
  const own = card.kinds.map((k) => k.name);
  const further = Object.keys(card.further_kinds);
  const [item, take] = useState(null);
  const [problem, tell] = useState("");
  const [done, say] = useState("");
  const [, again] = useState(0);
  const send = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const said = { event_id: crypto.randomUUID(), source: "page", user_id: form.get("user").trim(), item_id: item ? item.item_id : "", type: form.get("type") };
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
      <label>${t("type")}<select name="type">${own.map((one) => html`<option key=${one}>${one}</option>`)}
        ${further.length > 0 && html`<optgroup label=${t("other kinds")}>${further.map((one) => html`<option key=${one}>${one}</option>`)}</optgroup>`}</select></label>
      <label>${t("value")}<input name="value" type="number" step="any" /></label>
      <button disabled=${!item}>${t("send")}</button></form>
    ${problem && html`<p role="alert" class="problem">${problem}</p>`}<p role="status">${done}</p></article>
    <article><h2>${t("told here")}</h2>${sent.length ? html`<div class="scroll"><table><thead><tr><th scope="col">${t("user")}</th><th scope="col">${t("item")}</th>
      <th scope="col">${t("type")}</th></tr></thead><tbody>${sent.map((one) => html`<tr key=${one.event_id}><td>${one.user_id}</td>
      <td>${one.title || one.item_id}</td><td>${one.type}${one.value === undefined ? "" : ` ${one.value}`}</td></tr>`)}</tbody></table></div>` : html`<p><small>${t("nothing told")}</small></p>`}
      <p><small>${t("unseen")}: ${card.freshness ? card.freshness.unseen_events : 0}</small></p></article></div>`;
}
