// What a like or a dislike would change, before it is sent.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { eventId, post } from "./api.js";
import { Dialog } from "./dialog.js";
import { t } from "./words.js";

// The type of event, and its value, by which this model hears a like or a dislike.
export function kindOf(card, type) {
  if (card.kinds.some((k) => k.name === type) || type in card.further_kinds) return { type };
  const rated = card.kinds.find((k) => k.scale);
  if (rated) return { type: rated.name, value: rated.scale[type === "like" ? 1 : 0] };
  return type === "like" ? { type: card.kinds[0].name } : null;
}

export function Preview({ item, type, card, who, body, before, answer, close, sent }) {
  const [after, show] = useState(null);
  const [problem, tell] = useState("");
  const [busy, wait] = useState(false);
  const kind = kindOf(card, type);
  const said = { item_id: item.item_id, ...kind };
  useEffect(() => {
    if (!kind) { tell(t("no such kind")); return; }
    post("/recommend", { ...body, suppose: [said] }).then(show).catch((error) => tell(error.message));
  }, []);
  const send = async () => {
    wait(true);
    const event = { ...said, event_id: eventId(), source: "page", user_id: who.user,
      recommendation_id: answer.recommendation_id, position: item.rank };
    try {
      await post("/events", { events: [event] });
      sent();
    } catch (error) { tell(error.message); wait(false); }
  };
  const was = new Map(before.map((one) => [one.item_id, one.rank]));
  const now = after ? after.items : [];
  const left = before.slice(0, now.length).filter((one) => !now.some((other) => other.item_id === one.item_id));
  const moved = (one) => {
    const old = was.get(one.item_id);
    if (old === undefined) return html`<mark class="new">${t("new")}</mark>`;
    if (old === one.rank) return html`<span class="same">=</span>`;
    return html`<span class=${old > one.rank ? "up" : "down"}>${old > one.rank ? "▲" : "▼"} ${Math.abs(old - one.rank)}</span>`;
  };
  const title = item.title || item.item_id;
  const known = who.kind === "person" && who.user;
  return html`<${Dialog} title=${t(`${type} title`, { what: title })} close=${close}>
    <p>${t("preview")}</p>
    ${problem && html`<p role="alert" class="problem">${problem}</p>`}
    ${!after && !problem && html`<p aria-busy="true">${t("loading")}</p>`}
    ${after && html`<ol class="after">${now.map((one) => html`<li key=${one.item_id}>${one.title || one.item_id} ${moved(one)}</li>`)}</ol>
      ${left.length > 0 && html`<p><small>${t("leaves", { what: left.map((one) => one.title || one.item_id).join(" · ") })}</small></p>`}`}
    <footer>${!known && html`<small>${t("not somebody")}</small>`}
      <button type="button" class="secondary" onClick=${close}>${t("cancel")}</button>
      <button type="button" class="send" disabled=${!after || !known || busy} onClick=${send}>${t("send")}</button></footer><//>`;
}
