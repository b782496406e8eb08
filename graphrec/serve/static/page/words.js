// Texts of the page in the reader's language, and numbers as they write them.
export const LANGUAGES = { en: "English", de: "Deutsch", zh: "中文" };
let texts = {};
let usual = {};
export let language = "en";

export function preferred() {
  const kept = localStorage.getItem("language");
  const asked = [kept, ...(navigator.languages || [])].map((one) => (one || "").slice(0, 2).toLowerCase());
  return asked.find((one) => one in LANGUAGES) || "en";
}

export async function speak(name) {
  const load = async (one) => (await fetch(`/static/page/words/${one}.json`)).json();
  usual = Object.keys(usual).length ? usual : await load("en");
  texts = name === "en" ? usual : await load(name);
  language = name;
  document.documentElement.lang = name === "zh" ? "zh-Hans" : name;
}

export function keep(name) { localStorage.setItem("language", name); }

// With {n: 3}, "{n} days" is "3 days"; a text that is missing is told in English.
export function t(name, values = {}) {
  const text = texts[name] ?? usual[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, one) => (one in values ? String(values[one]) : whole));
}

export const number = (value, digits = 2) =>
  new Intl.NumberFormat(language, { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(value);
export const percent = (value) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(value);
export const date = (seconds) => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(seconds * 1000));
export const name = (block) => { const said = t(`block ${block}`); return said === `block ${block}` ? block : said; };
