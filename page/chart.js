// Bars with their numbers beside them: a picture for the eye, a table for everybody.

import { button, h } from "./dom.js";
import { number, t } from "./i18n.js";

export const PARTS = ["system", "notes", "history", "recalled", "input", "tools", "framing"];

const drawing = (props, ...children) => h("svg", { viewBox: "0 0 1000 24", preserveAspectRatio: "none", ...props }, ...children);
const rect = (x, width, props) => h("rect", { x, width, height: 24, ...props });

/** Lay pieces side by side, as wide as their part of the whole. */
function laid(pieces, whole, gap) {
  let x = 0;
  return pieces.map(({ share, ...props }) => {
    const width = (share / whole) * 1000;
    x += width;
    return rect(x - width, Math.max(width - gap, 1), props);
  });
}

const sum = (pieces) => pieces.reduce((all, piece) => all + piece.share, 0);

/** Draw the parts of a whole; `most` is the budget that they are measured against. */
export function stacked(parts, most) {
  const pieces = PARTS.filter((part) => parts[part]).map((part) => ({ key: part, class: `part-${part}`, share: parts[part] }));
  const total = sum(pieces);
  const whole = Math.max(most || 0, total, 1);
  return drawing({ class: "bar", role: "img", "aria-label": `${number(total)} / ${number(whole)}` }, rect(0, 1000, { key: "track", class: "track" }), laid(pieces, whole, 0));
}

export function partsTable(parts) {
  return h(
    "table",
    null,
    h("caption", null, t("parts")),
    h(
      "tbody",
      null,
      PARTS.filter((part) => parts[part]).map((part) =>
        h("tr", { key: part }, h("th", { scope: "row" }, h("span", { class: `dot part-${part}` }), t(`part_${part}`)), h("td", null, number(parts[part]))),
      ),
      h("tr", { key: "total" }, h("th", { scope: "row" }, t("total")), h("td", null, number(parts.total ?? 0))),
    ),
  );
}

/** Tell names with what belongs to them; what is not there is left out. */
export const pairs = (told) =>
  h("dl", null, told.filter(([, value]) => value).map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))));

/** Draw a history as a strip, a piece a message, as wide as its tokens. */
export const strip = (label, pieces) => drawing({ class: "strip", role: "img", "aria-label": label }, laid(pieces, sum(pieces), 2));

export function bars(caption, rows) {
  const most = Math.max(1, ...rows.map((row) => (row.start ?? 0) + row.value));
  return h(
    "table",
    { class: "bars" },
    h("caption", null, caption),
    h(
      "tbody",
      null,
      rows.map((row) =>
        h(
          "tr",
          { key: row.key, class: row.chosen ? "chosen" : null },
          h("th", { scope: "row" }, row.onclick ? button("plain", row.onclick, row.label) : row.label),
          h("td", { class: "wide" }, drawing({ class: "bar", "aria-hidden": "true" }, rect(((row.start ?? 0) / most) * 1000, (row.value / most) * 1000 || 1, { class: row.kind ?? "part-history" }))),
          h("td", null, row.told ?? number(row.value)),
        ),
      ),
    ),
  );
}

/** Read `Server-Timing` (W3C): the stages of a request and their milliseconds. */
export function serverTiming(header) {
  return (header ?? "")
    .split(",")
    .map((entry) => /^\s*([\w-]+).*?;\s*dur=([\d.]+)/.exec(entry))
    .filter(Boolean)
    .map(([, name, ms]) => ({ name, ms: Number(ms) }));
}
