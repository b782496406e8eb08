// Evidence as a graph to click through. The library is loaded when one is opened.
import { html, useEffect, useRef, useState } from "/static/vendor/preact.js";
import { get } from "./api.js";
import { t } from "./words.js";

const SHAPES = { user: "ellipse", item: "round-rectangle" };
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (text) => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

function style() {
  const ink = colour("--ink");
  return [
    { selector: "node", style: { label: "data(short)", shape: "data(shape)", "background-color": "data(colour)", color: ink, "font-size": 11,
      "text-wrap": "wrap", "text-max-width": 110, "text-valign": "bottom", "text-margin-y": 4, width: 26, height: 26,
      "border-width": 2, "border-color": colour("--line") } },
    { selector: "node.you", style: { width: 36, height: 36, "font-weight": "bold" } },
    { selector: "node.aim", style: { width: 36, height: 36, "font-weight": "bold", "border-color": colour("--block-2"), "border-width": 4 } },
    { selector: "edge", style: { label: "data(said)", "font-size": 9, color: colour("--faint"), width: 2, "line-color": colour("--line"),
      "curve-style": "bezier", "target-arrow-shape": "triangle", "target-arrow-color": colour("--line"), "text-rotation": "autorotate",
      "text-background-color": colour("--paper"), "text-background-opacity": 1 } },
    { selector: ".marked", style: { "line-color": colour("--block-0"), "target-arrow-color": colour("--block-0"), width: 4 } },
    { selector: "node:selected", style: { "border-color": colour("--block-0"), "border-width": 4 } },
  ];
}

// Where each thing stands: by its steps from who asks, what is recommended last.
function placesOf(graph, aim) {
  const steps = new Map([[graph.nodes[0].id, 0]]);
  for (const id of steps.keys()) {
    for (const e of graph.edges) {
      const other = e.source === id ? e.target : e.target === id ? e.source : null;
      if (other && other !== aim && !steps.has(other)) steps.set(other, steps.get(id) + 1);
    }
  }
  const last = Math.max(0, ...steps.values()) + 1;
  const columns = new Map();
  for (const n of graph.nodes) {
    const at = n.id === aim ? last : steps.get(n.id) ?? last;
    columns.set(at, [...(columns.get(at) || []), n.id]);
  }
  const out = new Map();
  for (const [at, ids] of columns) ids.forEach((id, n) => out.set(id, { x: 190 * at + 25 * (n % 2), y: 78 * (n - (ids.length - 1) / 2) }));
  return out;
}

export function Graph({ graph, evidence, mark, item, follow }) {
  const box = useRef(null);
  const [node, pick] = useState(null);
  const [near, show] = useState([]);
  useEffect(() => {
    let drawn = null;
    let gone = false;
    import("/static/vendor/cytoscape.js").then(({ default: cytoscape }) => {
      if (gone || !box.current || !graph.nodes.length) return;
      const places = placesOf(graph, `item:${item}`);
      const tint = (kind) => colour(kind === "user" ? "--block-1" : kind === "item" ? "--block-0" : "--block-3");
      const nodes = graph.nodes.map((n) => ({ data: { ...n, short: short(n.label), shape: SHAPES[n.kind] || "diamond", colour: tint(n.kind) },
        classes: n.id === `item:${item}` ? "aim" : n.label === "you" || n === graph.nodes[0] ? "you" : "" }));
      const edges = graph.edges.map((e, n) => ({ data: { ...e, id: `e${n}`, said: e.relation.replace(/_/g, " ") } }));
      drawn = cytoscape({ container: box.current, elements: [...nodes, ...edges], style: style(), minZoom: 0.3, maxZoom: 3,
        layout: { name: "preset", positions: (n) => places.get(n.id()), fit: true, padding: 36 } });
      drawn.on("tap", "node", (event) => choose(event.target.data()));
      drawn.on("tap", "edge", (event) => light(event.target.data("evidence")));
      box.current.dataset.ready = String(nodes.length);
    });
    const light = (which) => {
      mark(which);
      drawn.edges().forEach((e) => e.toggleClass("marked", e.data("evidence").some((n) => which.includes(n))));
    };
    const choose = (data) => {
      pick(data);
      light([...new Set(graph.edges.filter((e) => e.source === data.id || e.target === data.id).flatMap((e) => e.evidence))]);
    };
    box.current.choose = choose;
    return () => { gone = true; if (drawn) drawn.destroy(); };
  }, [graph]);
  useEffect(() => {
    show([]);
    if (node && node.kind === "item") get("/similar", { item_id: node.id.slice(5), k: 5 }).then((a) => show(a.items)).catch(() => {});
  }, [node]);
  return html`<div class="graph" ref=${box} role="img" aria-label=${t("graph of", { nodes: graph.nodes.length, edges: graph.edges.length })}></div>
    <p><small>${t("graph hint")}</small></p>
    <ul class="chips nodes" aria-label=${t("graph nodes")}>${graph.nodes.map((n) => html`<li key=${n.id}><button type="button" class="plain"
      aria-pressed=${String(Boolean(node) && node.id === n.id)} onClick=${() => box.current.choose(n)}>${n.label}</button></li>`)}</ul>
    ${node && html`<p aria-live="polite"><b>${node.label}</b> · ${node.kind}${near.length > 0 && html` · ${t("similar")}: ${near.map((one) => one.title || one.item_id).join(" · ")}`}</p>`}
    ${node && node.kind === "item" && node.id !== `item:${item}` && html`<button type="button" class="secondary outline small follow"
      onClick=${() => follow(node.id.slice(5), node.label)}>${t("why this", { what: node.label })}</button>`}`;
}
