// What each block adds to a score, as bars: to the right what speaks for it, to the left what speaks against.
import { html } from "/static/vendor/preact.js";
import { name, number, t } from "./words.js";

// The blocks that say anything, in their order; colours go by it.
export const audible = (card) => card.blocks.filter((b) => !b.empty);

export function Legend({ blocks }) {
  return html`<ul class="legend" aria-label=${t("blocks")}>${blocks.map((b, n) => b.weight > 0 && html`<li key=${b.name}>
    <i class=${`dot block-${n}`}></i> ${name(b.name)}</li>`)}</ul>`;
}

export function Bars({ parts, score, blocks, scale }) {
  const told = blocks.map((b, n) => ({ n, name: b.name, value: parts[b.name] || 0 })).filter((p) => Math.abs(p.value) > scale / 400);
  const bar = (p) => html`<i key=${p.name} class=${`bar block-${p.n}`} style=${{ width: `${(100 * Math.abs(p.value)) / scale}%` }}
    title=${`${name(p.name)} ${number(p.value)}`}></i>`;
  const line = told.map((p) => `${name(p.name)} ${number(p.value)}`).join(", ");
  const against = told.filter((p) => p.value < 0);
  return html`<div class="bars" role="img" aria-label=${t("score of", { score: number(score), parts: line })}>
    <div class="for">${told.filter((p) => p.value > 0).map(bar)}</div>
    ${against.length > 0 && html`<div class="against">${against.map(bar)}</div>`}
    <span class="score">${number(score)}</span></div>`;
}
