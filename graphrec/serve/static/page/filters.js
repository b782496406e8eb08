// Which items may come back: by attributes as people pick them, and as an expression that they can read and change.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { t } from "./words.js";

const quoted = (text) => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
const key = (text) => (/^[A-Za-z_]\w*$/.test(text) ? text : `\`${text}\``);

export function Filters({ card, how, set }) {
  const [attribute, pick] = useState("");
  const [text, write] = useState(how.filter);
  useEffect(() => write(how.filter), [how.filter]);
  const found = card.attributes.find((one) => one.name === attribute);
  const add = (part) => { if (part) set({ ...how, filter: how.filter ? `${how.filter} and ${part}` : part }); };
  const choose = (value) => add(value && (found.type === "list" ? `${quoted(value)} in ${key(found.name)}` : `${key(found.name)} == ${quoted(value)}`));
  const bound = (event) => {
    const box = event.currentTarget.closest(".bound");
    const value = box.querySelector("input").value;
    if (value !== "") add(`${key(found.name)} ${box.querySelector("select").value} ${Number(value)}`);
  };
  return html`<details class="filters" open=${Boolean(how.filter)}><summary>${t("filters")}</summary>
    ${card.attributes.length > 0 && html`<label>${t("attribute")}<select value=${attribute} onChange=${(e) => pick(e.target.value)}>
      <option value="">${t("choose")}</option>${card.attributes.map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}</select></label>`}
    ${found && found.type === "number" && html`<div class="row bound"><select aria-label=${t("compare")}><option value=${"<"}>${"<"}</option><option value=${">"}>${">"}</option></select>
      <input type="number" step="any" aria-label=${found.name} placeholder=${`${found.least} – ${found.most}`} />
      <button type="button" class="secondary" onClick=${bound}>${t("add")}</button></div>`}
    ${found && found.type !== "number" && html`<label>${t("value")}<select value="" onChange=${(e) => choose(e.target.value)}>
      <option value="">${t("choose")}</option>${found.values.map((one) => html`<option key=${one.value} value=${one.value}>${`${one.value} (${one.items})`}</option>`)}</select></label>`}
    <form onSubmit=${(e) => { e.preventDefault(); set({ ...how, filter: text.trim() }); }}><label>${t("expression")}
      <input value=${text} spellcheck="false" autocomplete="off" placeholder='price < 50' onInput=${(e) => write(e.target.value)} /></label>
      <div class="row"><button class="secondary outline small">${t("apply")}</button>
      ${how.filter && html`<button type="button" class="secondary outline small" onClick=${() => set({ ...how, filter: "" })}>${t("clear")}</button>`}</div></form>
    <label>${t("diversity")}<input type="range" min="0" max="0.9" step="0.1" value=${how.diversity}
      onChange=${(e) => set({ ...how, diversity: Number(e.target.value) })} /></label>
    <label>${t("seen")}<select value=${how.seen} onChange=${(e) => set({ ...how, seen: e.target.value })}>
      ${["", "exclude", "allow", "only"].map((one) => html`<option key=${one} value=${one}>${t(`seen ${one || "usual"}`)}</option>`)}</select></label>
  </details>`;
}
