// The model: what it was learned from, what each block counts for, how it was measured, how fresh it is.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { get } from "./api.js";
import { audible } from "./bars.js";
import { date, name, number, percent, t } from "./words.js";

const Facts = ({ facts }) => html`<dl class="facts">${facts.map(([what, value]) => html`<div key=${what}><dt>${what}</dt><dd>${value}</dd></div>`)}</dl>`;
const age = (seconds) => (seconds < 7200 ? t("minutes", { n: number(seconds / 60, 0) }) : seconds < 172800 ? t("hours", { n: number(seconds / 3600, 0) }) : t("days", { n: number(seconds / 86400, 0) }));

export function Model({ card: first }) {
  const [card, know] = useState(first);
  useEffect(() => { get("/model").then(know).catch(() => {}); }, []); // how fresh it is now
  const blocks = audible(card);
  const top = Math.max(...blocks.map((b) => b.weight), 0.001);
  const fresh = card.freshness || {};
  const silent = card.blocks.filter((b) => b.empty);
  const measured = Object.entries(card.validation || {}).filter(([, v]) => typeof v === "number");
  const why = (b) => (card.chosen[b.name] || {}).left_out || "";
  const { privacy, fair } = card.chosen;
  const promised = [];
  if (privacy) promised.push([t("privacy"), `ε = ${privacy.epsilon}, δ = ${privacy.delta}`]);
  if (fair) promised.push([t("fair target"), `${fair.target}: ${t(fair.met ? "met" : "not met")}`]);
  if (card.cleared.length) promised.push([t("cleared of"), card.cleared.join(", ")]);
  const facts = [[t("version"), html`<code>${card.model_version}</code>`]];
  if (fresh.age_seconds !== null && fresh.age_seconds !== undefined) facts.push([t("age"), age(fresh.age_seconds)]);
  if (fresh.latest_event) facts.push([t("latest event"), date(fresh.latest_event)]);
  facts.push([t("unseen"), number(fresh.unseen_events || 0, 0)]);
  facts.push([t("behind"), number(fresh.behind || 0, 0)]);
  if (typeof card.coverage === "number") facts.push([t("coverage"), percent(card.coverage)]);
  if (card.trial) facts.push([t("on trial"), `${card.trial.model_version} (${percent(card.trial.share)})`]);
  if (card.hidden_items) facts.push([t("hidden items"), number(card.hidden_items, 0)]);
  if (card.forgotten_people) facts.push([t("forgotten"), number(card.forgotten_people, 0)]);
  return html`<h1>${t("view model")}</h1><div class="two">
    <article><h2>${t("learned from")}</h2><${Facts} facts=${Object.entries(card.counts).map(([what, n]) => [t(`count ${what}`), number(n, 0)])} /></article>
    <article><h2>${t("freshness")}</h2><${Facts} facts=${facts} /></article></div>
    ${promised.length > 0 && html`<article><h2>${t("promises")}</h2><${Facts} facts=${promised} /></article>`}
    <article><h2>${t("blocks")}</h2><p><small>${t("blocks hint")}</small></p><div class="scroll"><table><thead><tr><th scope="col">${t("block")}</th><th scope="col">${t("weight")}</th>
      <th scope="col">${t("size")}</th></tr></thead><tbody>${blocks.map((b, n) => html`<tr key=${b.name}><th scope="row"><i class=${`dot block-${n}`}></i> ${name(b.name)} <small>${b.name}</small></th>
      <td><meter min="0" max=${top} value=${b.weight} aria-label=${`${b.name} ${number(b.weight)}`}></meter> ${number(b.weight)}</td><td>${b.size}</td></tr>`)}</tbody></table></div>
      ${silent.length > 0 && html`<details><summary>${t("silent", { n: silent.length })}</summary><ul>${silent.map((b) => html`<li key=${b.name}><b>${name(b.name)}</b> ${why(b)}</li>`)}</ul></details>`}</article>
    <article><h2>${t("measured")}</h2>${measured.length ? html`<${Facts} facts=${measured.map(([what, v]) => [t(`count ${what}`), number(v, 4)])} />` : html`<p>${t("not measured")}</p>`}
      <p><small>${t("measured hint")}</small></p></article>`;
}
