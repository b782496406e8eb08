// Why an item is recommended: sentences, evidence with its sources, a graph to click through; and why one is not.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { get, itemPath, post } from "./api.js";
import { Bars } from "./bars.js";
import { Dialog } from "./dialog.js";
import { Graph } from "./graph.js";
import { number, percent, t } from "./words.js";

const relation = (name) => name.replace(/_/g, " ");

function Evidence({ one, marked }) {
  const told = new Map(one.path.map((step) => [`${step.head} ${step.relation} ${step.tail}`, step])); // each once
  const steps = [...told].map(([key, step]) => html`<span key=${key} class="step"><b>${step.head_label || step.head}</b>${" "}
    <i>${relation(step.relation)}</i>${" "}<b>${step.tail_label || step.tail}</b></span>${" "}`);
  return html`<li class=${marked ? "marked" : ""}><div class="share"><meter min="0" max="1" value=${Math.max(0, Math.min(1, one.share))}
      aria-label=${t("share")}></meter> <small>${percent(one.share)} · ${t(`kind ${one.kind}`)}</small></div>
    ${one.source && html`<blockquote>${one.source.quote}</blockquote>`}<p class="path">${steps}</p></li>`;
}

// asked: who asks, and the weights of blocks that they moved, as the list was asked.
export function Why({ item, first, asked, blocks, list, close }) {
  const [at, go] = useState(item);
  const [tab, turn] = useState(first === "not" ? "not" : "why");
  const [found, show] = useState(null);
  const [missed, tellMissed] = useState(null);
  const [rather, tellRather] = useState("");
  const [marked, mark] = useState([]);
  const [proof, prove] = useState("");
  const [about, know] = useState({});
  const [problem, tell] = useState("");
  const asks = { ...asked, item_id: at.item_id };
  useEffect(() => {
    show(null); tellMissed(null); tellRather(""); mark([]); tell(""); prove(""); know({});
    get(itemPath(at.item_id)).then((a) => know(a.attributes)).catch(() => {});
    post("/explain", asks).then(show).catch((error) => tell(error.message));
    post("/why_not", asks).then(tellMissed).catch(() => {});
  }, [at.item_id]);
  const verify = () => post("/verify", { receipt: found.receipt })
    .then((a) => prove([t(a.verified ? "holds" : a.verified === false ? "holds not" : "not known"), ...a.why].join(" ")))
    .catch((error) => prove(error.message));
  const others = list.filter((one) => one.item_id !== at.item_id);
  const contrast = (other) => {
    if (!other) { tellRather(""); return; }
    post("/contrast", { ...asks, other_id: other }).then((a) => tellRather(a.text)).catch((error) => tellRather(error.message));
  };
  const title = at.title || (found && found.title) || at.item_id;
  const scale = found ? Math.max(0.001, Object.values(found.blocks).reduce((sum, v) => sum + Math.abs(v), 0)) : 1;
  const tabs = ["why", "graph", "not"];
  return html`<${Dialog} title=${title} close=${close} wide=${true}>
    ${Object.keys(about).length > 0 && html`<ul class="chips about">${Object.entries(about).slice(0, 8).map(([key, values]) => html`<li key=${key}>
      <small>${key}</small> ${values.slice(0, 3).join(", ")}</li>`)}</ul>`}
    <div class="tablist" role="tablist" aria-label=${t("reasons")}>${tabs.map((one) => html`<button key=${one} type="button" role="tab" id=${`tab-${one}`}
      aria-selected=${String(one === tab)} aria-controls="panel" class="tab" data-tab=${one} onClick=${() => turn(one)}>${t(`tab ${one}`)}</button>`)}</div>
    <div id="panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
    ${problem && html`<p role="alert" class="problem">${problem}</p>`}
    ${!found && !problem && html`<p aria-busy="true">${t("loading")}</p>`}
    ${found && found.degraded.map((line) => html`<p key=${line} class="degraded" role="note">${line}</p>`)}
    ${found && tab === "why" && html`<p class="said">${found.text}</p>
      <${Bars} parts=${found.blocks} score=${found.score} blocks=${blocks} scale=${scale} />
      <ul class="evidence">${found.evidence.map((one, n) => html`<${Evidence} key=${n} one=${one} marked=${marked.includes(n)} />`)}</ul>
      <p class="row"><button type="button" class="secondary outline small verify" onClick=${verify}>${t("verify")}</button>
        <small role="status">${proof}</small></p>`}
    ${found && tab === "graph" && html`<${Graph} graph=${found.graph} evidence=${found.evidence} mark=${mark} item=${at.item_id}
        follow=${(id, label) => { go({ item_id: id, title: label }); turn("why"); }} />
      <ul class="evidence">${marked.map((n) => html`<${Evidence} key=${n} one=${found.evidence[n]} marked=${true} />`)}</ul>`}
    ${tab === "not" && html`${missed ? html`<p class="said">${missed.text}</p>
        <p><small>${t("place of", { rank: number(missed.rank, 0), of: number(missed.of, 0) })}</small></p>` : html`<p aria-busy="true">${t("loading")}</p>`}
      ${others.length > 0 && html`<label>${t("rather")}<select onChange=${(e) => contrast(e.target.value)}><option value="">${t("choose")}</option>
        ${others.map((one) => html`<option key=${one.item_id} value=${one.item_id}>${one.title || one.item_id}</option>`)}</select></label>`}
      ${rather && html`<p class="said" aria-live="polite">${rather}</p>`}`}
    </div><//>`;
}
