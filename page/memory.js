// The tab of long-term memory: the summary and what it covers, facts by subject, their graph, what was recalled.

import { pairs } from "./chart.js";
import { button, h, quiet, section, small } from "./dom.js";
import { graph } from "./graph.js";
import { t } from "./i18n.js";
import { correct, forget, rebuild, show, state, update } from "./state.js";
import { short } from "./transcript.js";

export function memory() {
  const told = state.memory;
  const shown = state.context?.recall?.shown ?? [];
  if (!told) return quiet(t("noMemory"));
  const facts = told.facts ?? [];
  const current = facts.filter((fact) => fact.status === "current");
  return [
    summary(told, facts),
    state.context?.recall && recalled(shown),
    facts.length > 0 && section("facts", t("facts"), [...new Set(facts.map((fact) => fact.subject))].map((subject) => aboutOne(subject, facts))),
    current.length > 0 && section("graph", t("graph"), graph(current, (fact) => show(fact.item_ids.at(-1)))),
  ];
}

function summary(told, facts) {
  const covered = told.covers_up_to ? state.items.findIndex((item) => item.id === told.covers_up_to) + 1 : 0;
  return section(
    "summary",
    t("summary"),
    told.summary ? h("blockquote", { lang: told.summary.language, tabindex: 0 }, told.summary.text) : quiet(t("noMemory")),
    pairs([
      [t("status"), h("span", { class: `state ${told.status}` }, t(`status_${told.status}`))],
      [t("covers"), covered > 0 && button("plain", () => show(told.covers_up_to), t("coversTold", { n: covered }))],
      [t("size"), told.summary && t("tokens", { n: told.summary.tokens })],
      [t("model"), told.summary?.model],
      [t("index"), told.recall && t("turns", { n: told.recall.turns ?? 0 })],
    ]),
    (told.summary || facts.length > 0) &&
      h("div", { class: "row" }, button("", rebuild, t("rebuild")), button("danger", () => forget(), t("forgetAll"))),
  );
}

const recalled = (shown) =>
  section(
    "recalled",
    t("recalled"),
    shown.length
      ? h("ol", { class: "recalls" }, shown.map((one) => h("li", { key: one.item_id }, button("plain", () => show(one.item_id), short(one.item_id)), small(t("score", { n: one.score, m: one.tokens })))))
      : quiet(t("noRecall")),
  );

const aboutOne = (subject, facts) =>
  h("div", { key: subject }, h("h3", null, subject === "user" ? t("theUser") : subject), h("ul", { class: "facts" }, facts.filter((fact) => fact.subject === subject).map(factLine)));

function factLine(fact) {
  const dates = [fact.valid_from && t("since", { d: fact.valid_from }), fact.valid_to && t("until", { d: fact.valid_to })].filter(Boolean);
  if (state.editing === fact.id) return h("li", { key: `edit-${fact.id}` }, form(fact));
  return h(
    "li",
    { key: fact.id, class: fact.status, "data-fact-id": fact.id },
    h("p", null, `${fact.predicate}: `, h("strong", null, fact.object_value), " ", (fact.status !== "current" || dates.length > 0) && small([fact.status !== "current" && t(fact.status), ...dates].filter(Boolean).join(" · "))),
    h(
      "span",
      { class: "row" },
      fact.item_ids?.length > 0 && button("plain", () => show(fact.item_ids.at(-1)), t("evidence")),
      fact.status === "current" && button("plain", () => update({ editing: fact.id }), t("correct")),
      button("plain danger", () => forget(fact), t("forget")),
    ),
  );
}

const form = (fact) =>
  h(
    "form",
    { class: "row", onsubmit: (event) => (event.preventDefault(), correct(fact, event.target.elements[0].value.trim())) },
    h("label", null, `${fact.predicate} `, h("input", { "aria-label": t("correctTo"), onmade: (node) => edited(node, fact), onkeydown: (event) => event.key === "Escape" && update({ editing: null }) })),
    h("button", { type: "submit", class: "main" }, t("apply2")),
    h("button", { type: "button", onclick: () => update({ editing: null }) }, t("cancel")),
  );

function edited(field, fact) {
  field.value = fact.object_value;
  requestAnimationFrame(() => field.focus());
}
