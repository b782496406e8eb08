// Questions to the service. A key is asked for where it demands one, and kept for this tab alone.
let key = sessionStorage.getItem("key") || "";
let locked = () => {};

export const onLocked = (tell) => { locked = tell; };
export const setKey = (text) => { key = text.trim(); sessionStorage.setItem("key", key); };

export class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

async function ask(method, path, body) {
  const headers = { accept: "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const found = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const document = await found.json().catch(() => ({ detail: found.statusText }));
  if (found.status === 401 || (found.status === 403 && path === "/model")) locked(document.detail);
  if (!found.ok) throw new Refused(found.status, document.detail || found.statusText);
  return document;
}

function url(path, parameters) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters || {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") said.append(name, one);
    }
  }
  return said.size ? `${path}?${said}` : path;
}

export const get = (path, parameters) => ask("GET", url(path, parameters));
export const post = (path, body) => ask("POST", path, body);
// The id of an event. randomUUID is only there over https and on this machine.
export const eventId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
export const itemPath = (id) => `/items/${encodeURIComponent(id)}`;
export const userPath = (id) => `/users/${encodeURIComponent(id)}`;

// Who asks, as parameters of every question: without what is empty.
export function asker(who) {
  const out = {};
  if (who.kind === "person" && who.user) out.user_id = who.user;
  if (who.kind === "basket") out.history = who.basket.map((item) => item.item_id);
  if (who.words && who.kind !== "basket") out.query = who.words;
  return out;
}
