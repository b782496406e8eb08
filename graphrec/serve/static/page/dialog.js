// A dialog that the keyboard can leave, and that gives the focus back.
import { html, useEffect, useRef } from "/static/vendor/preact.js";
import { t } from "./words.js";

export function Dialog({ title, close, children, wide }) {
  const box = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => { if (before && before.focus) before.focus(); };
  }, []);
  return html`<dialog ref=${box} aria-label=${title} onClose=${close} onClick=${(e) => { if (e.target === box.current) box.current.close(); }}>
    <article class=${wide ? "wide" : ""}><header><button type="button" class="shut" aria-label=${t("close")} onClick=${() => box.current.close()}>×</button>
      <h2>${title}</h2></header>${children}</article></dialog>`;
}
