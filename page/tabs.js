// What each tab of the inspector shows.

import { bars, partsTable, serverTiming, stacked } from "./chart.js";
import { h } from "./dom.js";
import { graph } from "./graph.js";
import { moment, number, t } from "./i18n.js";
import { asked, correct, forget, keep, LIMITS, look, POLICIES, settings, show, state, tryOut, update, wipe } from "./state.js";

const rows = (pairs) =>
  h("dl", null, pairs.filter((pair) => pair[1] !== null && pair[1] !== undefined && pair[1] !== false).map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value))));

function context() {
  const told = state.context;
  return [told && seen(told), whatIf(told), state.compared && sideBySide(state.compared)];
}

function seen(told) {
  const whole = (told.tokens.total ?? 0) + (told.left_out ?? []).reduce((sum, one) => sum + (one.tokens ?? 0), 0);
  const budget = told.memory?.max_tokens;
  const saved = whole ? Math.round((1 - told.tokens.total / whole) * 100) : 0;
  return h(
    "section",
    { key: "seen" },
    h("h3", null, t("sees")),
    h("p", { class: "big" }, t("tokens", { n: told.tokens.total ?? 0 })),
    stacked(told.tokens, budget ?? whole),
    saved > 0 && h("p", null, t("saves", { n: saved })),
    rows([
      [t("memory"), `${t(told.policy)} · ${state.whatIf ? t("whatif") : told.source === "conversation" ? t("stored") : t("default")}`],
      [t("budget"), budget && number(budget)],
      [t("over"), told.over_budget && "!"],
      [t("stale"), told.stale && "!"],
    ]),
    partsTable(told.tokens),
  );
}

function whatIf(told) {
  const policy = state.whatIf?.policy ?? told?.policy ?? "message_window";
  const limit = LIMITS[policy];
  const value = state.whatIf?.value ?? told?.memory?.[limit?.name] ?? limit?.usual;
  return h(
    "section",
    { key: "what-if" },
    h(
      "fieldset",
      { class: "segments" },
      h("legend", null, t("policy")),
      POLICIES.map((name) =>
        h("label", { key: name }, h("input", { type: "radio", name: "policy", value: name, checked: name === policy, onchange: () => tryOut({ policy: name, value: LIMITS[name]?.usual }) }), h("span", null, t(name))),
      ),
    ),
    limit &&
      h(
        "label",
        { class: "slider" },
        `${t("limit")}: `,
        h("output", null, number(value)),
        h("input", { type: "range", min: limit.least, max: limit.most, step: limit.step ?? 1, value: String(value), oninput: (event) => tryOut({ policy, value: Number(event.target.value) }) }),
      ),
    h(
      "div",
      { class: "row" },
      h("button", { disabled: !state.whatIf || !state.items.length, onclick: keep }, t("apply")),
      h("button", { class: "plain", disabled: !state.whatIf, onclick: () => (update({ whatIf: null }), look()) }, t("reset")),
    ),
  );
}

const sideBySide = (compared) =>
  bars(
    t("compared"),
    compared.map((one, place) => ({
      key: POLICIES[place],
      label: t(one.policy),
      value: one.tokens.total ?? 0,
      chosen: one.policy === state.context?.policy,
      onclick: () => tryOut({ policy: POLICIES[place], value: LIMITS[POLICIES[place]]?.usual }),
    })),
  );

function turn() {
  const told = state.turns.get(state.shownTurn);
  if (!told) return h("p", null, t("noTurn"));
  const { answer, headers } = told;
  const cache = answer.omoide?.cache ?? {};
  const status = (headers["x-cache"] ?? cache.status ?? "").toLowerCase();
  const memory = answer.omoide?.memory ?? {};
  const stages = serverTiming(headers["server-timing"]).concat(answer.omoide?.timing ?? []);
  let start = 0;
  const waterfall = stages.filter((one) => one.name !== "total").map((one) => ({ key: one.name, label: one.name, start: (start += one.ms) - one.ms, value: one.ms, told: t("ms", { n: Math.round(one.ms) }), kind: "part-input" }));
  return h(
    "section",
    { key: "turn" },
    h("h3", null, t("cache")),
    h("p", { class: `big ${status}` }, status ? t(status) : "–"),
    rows([
      [t("saved"), cache.saved_tokens > 0 && `${t("tokens", { n: cache.saved_tokens })}${cache.saved_ms ? ` · ${t("ms", { n: cache.saved_ms })}` : ""}`],
      [t("age"), cache.age !== undefined && cache.age !== null && status === "hit" && t("seconds", { n: cache.age })],
      ["Cache-Status", headers["cache-status"]],
      [t("usage"), answer.usage && t("usageTold", { i: answer.usage.input_tokens, o: answer.usage.output_tokens })],
      [t("firstToken"), told.firstMs !== null && t("ms", { n: Math.round(told.firstMs) })],
      [t("whole"), t("ms", { n: Math.round(told.totalMs) })],
      [t("model"), answer.model],
      [t("recalled"), memory.recalled?.length > 0 && memory.recalled.map((id, place) => h("button", { key: id, class: "plain", onclick: () => show(id) }, `[${place + 1}]`))],
    ]),
    waterfall.length > 0 && bars(t("timing"), waterfall),
  );
}

function memory() {
  const told = state.memory;
  if (!told) return h("p", null, t("noMemory"));
  const facts = told.facts ?? [];
  const subjects = [...new Set(facts.map((fact) => fact.subject))];
  const current = facts.filter((fact) => fact.status === "current");
  return [
    h(
      "section",
      { key: "summary" },
      h("h3", null, t("summary")),
      told.summary ? h("blockquote", { lang: told.summary.language }, told.summary.text) : h("p", null, t("noMemory")),
      rows([
        [t("status"), t(`status_${told.status}`)],
        [t("covers"), told.covers_up_to && h("button", { class: "plain", onclick: () => show(told.covers_up_to) }, t("evidence"))],
        [t("usage"), told.summary && t("tokens", { n: told.summary.tokens })],
        [t("model"), told.summary?.model],
        [t("index"), told.recall && t("turns", { n: told.recall.turns ?? 0 })],
      ]),
      (told.summary || facts.length > 0) && h("button", { class: "plain", onclick: () => forget() }, t("forgetAll")),
    ),
    facts.length > 0 && h("section", { key: "facts" }, h("h3", null, t("facts")), subjects.map((subject) => h("div", { key: subject }, h("h4", null, subject), h("ul", { class: "facts" }, facts.filter((fact) => fact.subject === subject).map(factLine))))),
    h("section", { key: "graph" }, h("h3", null, t("graph")), current.length ? graph(current, (fact) => show(fact.item_ids.at(-1))) : h("p", null, t("noGraph"))),
  ];
}

function factLine(fact) {
  const dates = [fact.valid_from && t("since", { d: fact.valid_from }), fact.valid_to && t("until", { d: fact.valid_to })].filter(Boolean);
  return h(
    "li",
    { key: fact.id, class: fact.status },
    h("span", null, `${fact.predicate}: `, h("strong", null, fact.object_value)),
    " ",
    h("small", null, [t(fact.status), ...dates].join(" · ")),
    h(
      "span",
      { class: "row" },
      fact.item_ids?.length > 0 && h("button", { class: "plain", onclick: () => show(fact.item_ids.at(-1)) }, t("evidence")),
      fact.status === "current" && h("button", { class: "plain", onclick: () => correct(fact) }, t("correct")),
      h("button", { class: "plain", onclick: () => forget(fact) }, t("forget")),
    ),
  );
}

function momento() {
  const told = state.momento;
  if (!told) return h("p", null, t("noMomento"));
  const kept = (one) => [
    [t("key"), one.key],
    [t("messages"), one.elements && number(one.elements.length)],
    [t("size"), t("bytes", { n: one.bytes })],
    [t("expires"), t("seconds", { n: Math.round(one.expires_in) })],
  ];
  return h(
    "section",
    { key: "momento" },
    h("h3", null, t("list")),
    told.list ? [rows(kept(told.list)), h("ol", { class: "elements" }, told.list.elements.map((element, place) => h("li", { key: place }, h("code", null, element))))] : h("p", null, "–"),
    h("h3", null, t("value")),
    told.memory ? rows(kept(told.memory)) : h("p", null, "–"),
    rows([[t("operations"), told.operations !== undefined && number(told.operations)]]),
    h("button", { onclick: wipe }, t("wipe")),
    !told.list && !told.memory && h("p", { role: "status" }, t("wiped")),
  );
}

const json = () =>
  h("section", { key: "json" }, h("pre", { tabindex: 0 }, h("code", null, JSON.stringify({ context: state.context, asked: asked(), turn: state.turns.get(state.shownTurn)?.answer, memory: state.memory }, null, 2))));

export const TABS = { context, turn, memory, momento, json };
