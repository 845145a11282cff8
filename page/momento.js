// The tab of Momento: what the embedded cache holds of this conversation, for how long, and what the last turn cost.

import { pairs } from "./chart.js";
import { button, h, quiet, small } from "./dom.js";
import { clock, number, t } from "./i18n.js";
import { state, update, wipe } from "./state.js";

export function momento() {
  const told = state.momento;
  if (!told) return quiet(t("noMomento"));
  return h(
    "section",
    { key: "momento" },
    told.operations !== null && h("p", { class: "big" }, number(told.operations), small(t("operations"))),
    h("h2", null, t("list")),
    told.list ? [pairs(kept(told.list)), h("ol", { class: "elements", tabindex: 0, "aria-label": t("list") }, told.list.elements.map(element))] : quiet(t("empty")),
    h("h2", null, t("value")),
    told.memory ? pairs(kept(told.memory)) : quiet(t("empty")),
    h("div", { class: "row" }, button("danger", wipe, t("wipe"))),
    h("p", { role: "status", class: "quiet" }, t("wipeHint")),
  );
}

function kept(one) {
  const left = Math.max(0, one.expires_in - (Date.now() - state.momentoAt) / 1000);
  return [[t("key"), h("code", null, one.key)], [t("messages"), one.elements && number(one.elements.length)], [t("size"), t("bytes", { n: one.bytes })], [t("expires"), h("time", null, clock(left))]];
}

/** An element of the list is a message as LangChain writes it. */
function element(text, place) {
  let told = {};
  try {
    told = JSON.parse(text);
  } catch {
    // what cannot be read is shown as it is
  }
  const content = told.data?.content;
  return h("li", { key: place }, h("details", null, h("summary", null, h("b", null, told.type ?? "?"), " ", typeof content === "string" && content ? content : "…"), h("code", null, text)));
}

// The time that is left runs while it is looked at.
setInterval(() => state.tab === "momento" && state.momento && update({}), 1000);
