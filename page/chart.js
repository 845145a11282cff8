// Bars with their numbers beside them: a picture for the eye, a table for everybody.

import { button, h } from "./dom.js";
import { number, t } from "./i18n.js";

export const PARTS = ["system", "notes", "history", "recalled", "input", "tools", "framing"];

/** Draw the parts of a whole; `most` is the budget that they are measured against. */
export function stacked(parts, most) {
  const total = PARTS.reduce((sum, part) => sum + (parts[part] ?? 0), 0);
  const whole = Math.max(most || 0, total, 1);
  let x = 0;
  return h(
    "svg",
    { class: "bar", viewBox: "0 0 1000 24", preserveAspectRatio: "none", role: "img", "aria-label": `${number(total)} / ${number(whole)}` },
    h("rect", { key: "track", class: "track", width: 1000, height: 24 }),
    PARTS.filter((part) => parts[part]).map((part) => {
      const width = (parts[part] / whole) * 1000;
      x += width;
      return h("rect", { key: part, class: `part-${part}`, x: x - width, width, height: 24 });
    }),
  );
}

/** Tell the parts as a table. */
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
  h("dl", null, told.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== 0).map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))));

/** Draw a history as a strip, one piece a message, as wide as its tokens; the labels stand in the transcript. */
export function strip(label, pieces) {
  const whole = pieces.reduce((sum, piece) => sum + piece.width, 0) || 1;
  let x = 0;
  return h(
    "svg",
    { class: "strip", viewBox: "0 0 1000 24", preserveAspectRatio: "none", role: "img", "aria-label": label },
    pieces.map((piece) => {
      const width = (piece.width / whole) * 1000;
      x += width;
      return h("rect", { key: piece.key, class: piece.kind, x: x - width, width: Math.max(width - 2, 1), height: 24, onclick: piece.onclick });
    }),
  );
}

/** Draw rows of one bar each, which may begin later than at 0. */
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
          h("td", { class: "wide" }, h("svg", { class: "bar", viewBox: "0 0 1000 24", preserveAspectRatio: "none", "aria-hidden": "true" }, h("rect", { class: row.kind ?? "part-history", x: ((row.start ?? 0) / most) * 1000, width: (row.value / most) * 1000 || 1, height: 24 }))),
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
