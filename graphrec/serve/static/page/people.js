// Who asks: somebody known, a basket, or words alone.
import { html, useEffect, useState } from "/static/vendor/preact.js";
import { get } from "./api.js";
import { t } from "./words.js";

const KINDS = ["person", "basket", "words"];

// A field that offers items by title; `take` gets the item that is chosen.
export function ItemField({ label, take, id }) {
  const [text, write] = useState("");
  const [found, offer] = useState([]);
  useEffect(() => {
    if (text.length < 2) { offer([]); return undefined; }
    const timer = setTimeout(() => get("/items", { title: text, k: 8 }).then((a) => offer(a.items)).catch(() => offer([])), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const chosen = (item) => { take(item); write(""); offer([]); };
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} type="search" autocomplete="off" value=${text} placeholder=${t("title or id")}
      onInput=${(e) => write(e.target.value)} />
    ${found.length > 0 && html`<ul class="offers" aria-label=${t("items found")}>${found.map((item) => html`<li key=${item.item_id}>
      <button type="button" class="plain" onClick=${() => chosen(item)}>${item.title || item.item_id}</button></li>`)}</ul>`}</div>`;
}

export function People({ who, ask, card }) {
  const [known, list] = useState([]);
  const [typed, write] = useState(who.user);
  useEffect(() => { get("/users", { k: 50 }).then((a) => list(a.users)).catch(() => list([])); }, []);
  useEffect(() => write(who.user), [who.user]);
  const pick = () => {
    const others = known.filter((id) => id !== who.user);
    if (others.length) ask({ ...who, kind: "person", user: others[Math.floor(Math.random() * others.length)] });
  };
  const send = (event) => {
    event.preventDefault();
    const words = new FormData(event.target).get("words");
    ask({ ...who, user: typed.trim(), words: words === null ? who.words : words.trim() });
  };
  return html`<form class="who" onSubmit=${send} aria-label=${t("who")}>
    <fieldset><legend>${t("who")}</legend><div class="kinds">${KINDS.map((kind) => html`<label key=${kind}>
      <input type="radio" name="kind" checked=${who.kind === kind} onChange=${() => ask({ ...who, kind })} /> ${t(`who ${kind}`)}</label>`)}</div></fieldset>
    ${who.kind === "person" && html`<label>${t("user")}
      <input name="user" list="known" autocomplete="off" value=${typed} onInput=${(e) => write(e.target.value)} /></label>
      <datalist id="known">${known.map((id) => html`<option key=${id} value=${id}></option>`)}</datalist>`}
    ${who.kind === "basket" && html`<${ItemField} id="basket" label=${t("add to basket")}
        take=${(item) => ask({ ...who, basket: [...who.basket.filter((b) => b.item_id !== item.item_id), item] })} />
      <ul class="chips">${who.basket.map((item) => html`<li key=${item.item_id}>${item.title || item.item_id}
        <button type="button" class="plain" aria-label=${t("take out", { what: item.title || item.item_id })}
          onClick=${() => ask({ ...who, basket: who.basket.filter((b) => b !== item) })}>×</button></li>`)}</ul>`}
    ${who.kind !== "basket" && card.words && html`<label>${t("words")}
      <input name="words" type="search" autocomplete="off" value=${who.words} placeholder=${t("words hint")} /></label>`}
    <div class="row">${who.kind !== "basket" && html`<button>${t("show")}</button>`}
      ${who.kind === "person" && known.length > 0 && html`<button type="button" class="secondary" onClick=${pick}>${t("pick")}</button>`}</div>
  </form>`;
}
