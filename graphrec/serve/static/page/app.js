// The page: who asks, and four views of it. What is shown is text; nothing is ever made HTML.
import { html, render, useEffect, useState } from "/static/vendor/preact.js";
import { get, onLocked, setKey } from "./api.js";
import { Events } from "./events.js";
import { ForYou } from "./list.js";
import { Model } from "./model.js";
import { Profile } from "./profile.js";
import { LANGUAGES, keep, preferred, speak, t } from "./words.js";

const VIEWS = { list: ForYou, profile: Profile, events: Events, model: Model };
const NOBODY = { kind: "person", user: "", words: "", basket: [] };
const view = () => (location.hash.slice(2) in VIEWS ? location.hash.slice(2) : "list");

function Lock({ why, again }) {
  const [text, write] = useState("");
  const send = (event) => { event.preventDefault(); setKey(text); again(); };
  return html`<article class="lock"><h2>${t("key title")}</h2><p>${why}</p>
    <form onSubmit=${send}><label>${t("key")}
      <input type="password" autocomplete="off" value=${text} onInput=${(e) => write(e.target.value)} /></label>
      <button>${t("key use")}</button></form></article>`;
}

function Page() {
  const [at, go] = useState(view());
  const [card, know] = useState(null);
  const [problem, tell] = useState("");
  const [lock, shut] = useState("");
  const [who, ask] = useState(NOBODY);
  const [said, speaks] = useState(preferred());
  const [, ready] = useState(0);
  const load = () => { shut(""); tell(""); get("/model").then(know).catch((error) => tell(error.message)); };
  useEffect(() => {
    addEventListener("hashchange", () => go(view()));
    onLocked(shut);
    load();
  }, []);
  useEffect(() => { speak(said).then(() => ready((n) => n + 1)); }, [said]);
  useEffect(() => { document.title = `${t(`view ${at}`)} · graphrec`; });
  const change = (event) => { keep(event.target.value); speaks(event.target.value); };
  const View = VIEWS[at];
  return html`
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>${t("skip")}</a>
    <header class="container top"><nav aria-label=${t("views")}>
      <ul><li><strong class="brand">graphrec</strong></li></ul>
      <ul class="tabs">${Object.keys(VIEWS).map((one) => html`<li key=${one}>
        <a href=${`#/${one}`} aria-current=${one === at ? "page" : null}>${t(`view ${one}`)}</a></li>`)}</ul>
      <ul><li><select aria-label=${t("language")} value=${said} onChange=${change}>
        ${Object.entries(LANGUAGES).map(([one, label]) => html`<option key=${one} value=${one} lang=${one}>${label}</option>`)}
      </select></li></ul></nav></header>
    <main id="main" class="container" tabindex="-1">
      ${lock && html`<${Lock} why=${lock} again=${load} />`}
      ${problem && !lock && html`<p role="alert" class="problem">${problem}</p>`}
      ${card && html`<${View} card=${card} who=${who} ask=${ask} />`}
      ${!card && !problem && !lock && html`<p aria-busy="true">${t("loading")}</p>`}
    </main>
    <footer class="container"><small>${card && html`${card.name || card.artifact} · <code>${card.model_version}</code> · `}
      <a href="/docs">${t("api")}</a></small></footer>`;
}

speak(preferred()).finally(() => render(html`<${Page} />`, document.getElementById("app")));
