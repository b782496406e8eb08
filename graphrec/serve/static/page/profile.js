// What is known of one person, for that person: interests, how they change, what they like, when they come.
import { html, useEffect, useRef, useState } from "/static/vendor/preact.js";
import uPlot from "/static/vendor/uplot.js";
import { get, userPath } from "./api.js";
import { People } from "./people.js";
import { number, percent, t } from "./words.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function Over({ rows }) {
  const box = useRef(null);
  useEffect(() => {
    const labels = Object.keys(rows[0].shares);
    const times = rows.map((row) => Date.parse(row.from) / 1000);
    const lines = labels.map((label) => rows.map((row) => row.shares[label] ?? 0));
    const axis = { stroke: css("--ink"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
    const size = () => ({ width: Math.max(260, box.current.clientWidth), height: 260 });
    const plot = new uPlot({ ...size(), scales: { y: { range: [0, null] } },
      axes: [axis, { ...axis, values: (_, ticks) => ticks.map((v) => percent(v)) }],
      series: [{}, ...labels.map((label, n) => ({ label, stroke: css(`--block-${n % 8}`), width: 2, points: { show: true, size: 5 },
        value: (_, v) => (v === null || v === undefined ? "–" : percent(v)) }))] }, [times, ...lines], box.current);
    const fit = () => plot.setSize(size());
    addEventListener("resize", fit);
    return () => { removeEventListener("resize", fit); plot.destroy(); };
  }, [rows]);
  return html`<div class="over" ref=${box} role="img" aria-label=${t("over time")}></div>`;
}

function Round({ label, values, names }) {
  const top = Math.max(1, ...values);
  return html`<figure class="round"><figcaption>${label}</figcaption><div class="columns" role="img"
    aria-label=${values.map((v, n) => `${names(n)} ${v}`).join(", ")}>${values.map((v, n) => html`<i key=${n} title=${`${names(n)}: ${v}`}
      style=${{ height: `${Math.max(2, (100 * v) / top)}%` }}></i>`)}</div></figure>`;
}

function source(one) {
  const from = (one.from || [])[0] || {};
  const told = from.quote ? `“${from.quote}”` : from.title || from.item_id || "";
  return told === one.label ? from.date || "" : told;
}

const listed = (rows, about) => html`<ul class="tastes">${rows.map((one, n) => html`<li key=${n}><b>${one.label}</b>
  ${source(one) && html`<small> — ${source(one)}</small>`}</li>`)}
  ${!rows.length && html`<li><small>${about}</small></li>`}</ul>`;

export function Profile({ card, who, ask }) {
  const [found, show] = useState(null);
  const [problem, tell] = useState("");
  useEffect(() => {
    show(null); tell("");
    if (who.kind === "person" && who.user) get(userPath(who.user)).then(show).catch((error) => tell(error.message));
  }, [who.user, who.kind]);
  const save = async () => {
    const whole = await get(userPath(who.user), { export: true });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(whole, null, 1)], { type: "application/json" }));
    link.download = "profile.json";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const day = (n) => new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, 1 + n)));
  const month = (n) => new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", timeZone: "UTC" }).format(new Date(Date.UTC(2024, n, 1)));
  const behaviour = found && found.behaviour;
  return html`<div class="sides"><aside><${People} who=${who} ask=${ask} card=${card} /></aside><section>
    ${problem && html`<p role="alert" class="problem">${problem}</p>`}
    ${!found && !problem && html`<article class="hello"><h1>${t("view profile")}</h1><p>${t("profile hint")}</p></article>`}
    ${found && html`<header class="listhead"><h1>${t("profile of", { who: found.user_id })}</h1>
      <button type="button" class="secondary outline small" onClick=${save}>${t("export")}</button></header>
      <p>${t("events known", { n: number(found.events, 0) })}${behaviour && behaviour.first ? ` · ${behaviour.first} – ${behaviour.last}` : ""}
        ${found.heard ? ` · ${t("heard since", { n: found.heard })}` : ""}</p>
      ${found.degraded.map((line) => html`<p key=${line} class="degraded" role="note">${line}</p>`)}
      <div class="two"><article><h2>${t("interests")}</h2><ul class="interests">${found.interests.map((one) => html`<li key=${one.label}>
        <span>${one.label} <small>${one.kind || ""}</small></span><meter min="0" max=${found.interests[0].share} value=${one.share}
          aria-label=${`${one.label} ${percent(one.share)}`}></meter><small>${percent(one.share)}</small></li>`)}</ul></article>
      <article><h2>${t("over time")}</h2>${found.over_time && found.over_time.length > 1 ? html`<${Over} rows=${found.over_time} />` : html`<p><small>${t("no times")}</small></p>`}</article></div>
      <div class="two"><article><h2>${t("likes")}</h2>${listed(found.likes || [], t("none told"))}</article>
      <article><h2>${t("dislikes")}</h2>${listed(found.dislikes || [], t("none told"))}</article></div>
      ${behaviour && behaviour.hours && html`<article><h2>${t("when")}</h2><div class="rounds"><${Round} label=${t("by month")} values=${behaviour.months} names=${month} />
        <${Round} label=${t("by weekday")} values=${behaviour.weekdays} names=${day} /><${Round} label=${t("by hour")} values=${behaviour.hours} names=${(n) => `${n}:00`} /></div></article>`}`}
  </section></div>`;
}
