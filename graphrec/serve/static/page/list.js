// Recommendations as cards: bars by block, weights to move, filters, and what a like would change.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { asker, get, post } from "./api.js";
import { Bars, Legend, audible } from "./bars.js";
import { Filters } from "./filters.js";
import { ItemField, People } from "./people.js";
import { Preview } from "./preview.js";
import { Why } from "./why.js";
import { name, number, t } from "./words.js";

const MOST = 3; // times what a block counts for usually
const K = 12;

// How often its usual weight a block counts for before anything is moved: one that counts for nothing begins at 0.
const usual = (b) => (b.weight > 0 ? 1 : 0);

function Sliders({ blocks, times, move }) {
  return html`<details class="sliders" open=${matchMedia("(min-width: 821px)").matches}><summary>${t("weights")}</summary><p><small>${t("weights hint")}</small></p>
    ${blocks.map((b, n) => html`<label key=${b.name} class="slider"><span><i class=${`dot block-${n}`}></i> ${name(b.name)}
        <output>× ${number(times[b.name] ?? usual(b), 1)}</output></span>
      <input type="range" min="0" max=${MOST} step="0.1" value=${times[b.name] ?? usual(b)} data-block=${b.name}
        onChange=${(e) => move({ ...times, [b.name]: Number(e.target.value) })} /></label>`)}
    <button type="button" class="secondary outline small" disabled=${!Object.keys(times).length} onClick=${() => move({})}>${t("as usual")}</button></details>`;
}

function Card({ item, blocks, scale, say }) {
  const title = item.title || item.item_id;
  return html`<li class="card" data-item=${item.item_id}>
    <div class="rank" aria-hidden="true">${item.rank}</div>
    <div class="what"><h3>${title}</h3>${item.title && html`<small class="id">${item.item_id}</small>`}
      <${Bars} parts=${item.blocks || {}} score=${item.score} blocks=${blocks} scale=${scale} /></div>
    <div class="does" role="group" aria-label=${title}>
      <button type="button" class="why" onClick=${() => say("why", item)}>${t("why")}</button>
      <button type="button" class="secondary outline" aria-label=${t("like it", { what: title })} onClick=${() => say("like", item)}>${t("like")}</button>
      <button type="button" class="secondary outline" aria-label=${t("dislike it", { what: title })} onClick=${() => say("dislike", item)}>${t("dislike")}</button>
    </div></li>`;
}

// Some people whom the model knows, to be one of.
function Hello({ ask, who }) {
  const [known, list] = useState([]);
  useEffect(() => { get("/users", { k: 12 }).then((a) => list(a.users)).catch(() => list([])); }, []);
  return html`<article class="hello"><h1>${t("hello")}</h1><p>${t("hello more")}</p>
    ${known.length > 0 && html`<h2>${t("be one")}</h2><ul class="people">${known.map((id, n) => html`<li key=${id}><button type="button"
      onClick=${() => ask({ ...who, kind: "person", user: id })}><i class=${`face block-${n % 8}`} aria-hidden="true"></i>${id}</button></li>`)}</ul>`}</article>`;
}

export function ForYou({ card, who, ask }) {
  const blocks = audible(card);
  const [times, move] = useState({});
  const [how, set] = useState({ filter: "", diversity: 0, seen: "" });
  const [answer, show] = useState(null);
  const [problem, tell] = useState("");
  const [busy, wait] = useState(false);
  const [open, say] = useState(null);
  const [asked, again] = useState(0);
  const asks = asker(who);
  const some = Boolean(asks.user_id || asks.query || (asks.history && asks.history.length));
  const body = { ...asks, k: K, blocks: true };
  const top = Math.max(...blocks.map((b) => b.weight)) || 1;
  const moved = blocks.filter((b) => b.name in times);
  if (moved.length) body.weights = Object.fromEntries(moved.map((b) => [b.name, times[b.name] * (b.weight || top)]));
  if (how.filter) body.filter = how.filter;
  if (how.diversity) body.diversity = how.diversity;
  if (how.seen) body.seen = how.seen;
  const key = JSON.stringify(body);
  useEffect(() => {
    if (!some) { show(null); return undefined; }
    let late = false;
    wait(true);
    post("/recommend", body).then((found) => { if (!late) { show(found); tell(""); } })
      .catch((error) => { if (!late) tell(error.message); }).finally(() => { if (!late) wait(false); });
    return () => { late = true; };
  }, [key, asked]);
  const more = async () => {
    try {
      const page = await post("/recommend", { ...body, cursor: answer.next_cursor });
      show({ ...page, items: [...answer.items, ...page.items] });
    } catch (error) { tell(error.message); }
  };
  const items = answer && some ? answer.items : [];
  const scale = Math.max(0.001, ...items.map((i) => Object.values(i.blocks || {}).reduce((sum, v) => sum + Math.abs(v), 0)));
  return html`<div class="sides"><aside>
      <${People} who=${who} ask=${ask} card=${card} />
      <${Sliders} blocks=${blocks} times=${times} move=${move} />
      <${Filters} card=${card} how=${how} set=${set} /></aside>
    <section aria-busy=${busy ? "true" : "false"} aria-label=${t("view list")}>
      ${!some && html`<${Hello} ask=${ask} who=${who} />`}
      ${problem && html`<p role="alert" class="problem">${problem}</p>`}
      ${items.length > 0 && html`<header class="listhead"><h1>${asks.user_id ? t("for", { who: asks.user_id }) : t("for this")}</h1>
        <${Legend} blocks=${blocks} /></header>`}
      ${answer && answer.degraded.map((line) => html`<p key=${line} class="degraded" role="note">${line}</p>`)}
      ${answer && (answer.changes || []).map((one, n) => html`<p key=${n} class="degraded" role="note">${t("reranked", { how: one.reranker, came: number(one.came.length, 0), went: number(one.went.length, 0) })}</p>`)}
      ${some && answer && !items.length && !busy && html`<p>${t("nothing")}</p>`}
      <ol class="cards">${items.map((item) => html`<${Card} key=${item.item_id} item=${item} blocks=${blocks} scale=${scale}
        say=${(what, one) => say({ what, item: one })} />`)}</ol>
      ${items.length > 0 && answer.next_cursor && html`<button type="button" class="secondary" onClick=${more}>${t("more")}</button>`}
      ${items.length > 0 && html`<article class="missed"><${ItemField} id="missed" label=${t("why not")} take=${(item) => say({ what: "not", item })} /></article>`}
    </section></div>
    ${open && (open.what === "why" || open.what === "not") && html`<${Why} key=${open.item.item_id} item=${open.item} first=${open.what}
      asked=${body.weights ? { ...asks, weights: body.weights } : asks}
      blocks=${blocks} list=${items} close=${() => say(null)} />`}
    ${open && (open.what === "like" || open.what === "dislike") && html`<${Preview} item=${open.item} type=${open.what} card=${card} who=${who}
      body=${body} before=${items} answer=${answer} close=${() => say(null)} sent=${() => { say(null); again(asked + 1); }} />`}`;
}
