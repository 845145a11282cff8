// The tab of the context: what the model would see, by part; other settings, tried out; policies side by side.

import { bars, pairs, partsTable, stacked, strip } from "./chart.js";
import { h, quiet, small } from "./dom.js";
import { number, t } from "./i18n.js";
import { inView, keep, LIMITS, POLICIES, show, state, tryOut } from "./state.js";
import { toLine, toldByItem } from "./transcript.js";

export function context() {
  const told = state.context;
  return [told && seen(told), whatIf(told), state.compared && sideBySide(state.compared)];
}

function seen(told) {
  const whole = told.tokens.total + (told.left_out ?? []).reduce((sum, one) => sum + (one.tokens ?? 0), 0);
  const saved = whole ? Math.round((1 - told.tokens.total / whole) * 100) : 0;
  return h(
    "section",
    { key: "seen" },
    h("h2", null, t(state.draft.trim() ? "seesNext" : "sees")),
    h("p", { class: "big" }, t("tokens", { n: told.tokens.total }), small(t("kept", { n: told.retained, m: told.retained + told.evicted }))),
    stacked(told.tokens, told.memory?.max_tokens ?? whole),
    h("p", { class: saved > 0 ? "good" : "quiet" }, saved > 0 ? t("saves", { n: saved, m: whole }) : t("savesNothing")),
    partsTable(told.tokens),
    history(),
    pairs([
      [t("memory"), `${t(told.policy)} · ${t(state.whatIf ? "whatif" : told.source === "default" ? "default" : "stored")}`],
      [t("budget"), told.memory?.max_tokens && t("tokens", { n: told.memory.max_tokens })],
      [t("over"), told.over_budget && "!"],
      [t("stale"), told.stale && "!"],
    ]),
  );
}

function history() {
  const seen = inView();
  const told = toldByItem();
  return strip(
    t("inHistory", { n: state.items.length }),
    state.items.map((item) => ({ key: item.id, share: (told.get(item.id)?.tokens ?? 0) + 4, class: `${seen.has(item.id) ? "seen" : "unseen"} ${item.role ?? "tool"}`, onclick: () => show(item.id) })),
  );
}

function tried(whatIf) {
  tryOut(whatIf);
  setTimeout(toLine, 400);
}

function whatIf(told) {
  const policy = state.whatIf?.policy ?? told?.policy ?? "message_window";
  const limit = LIMITS[policy];
  const value = state.whatIf?.value ?? told?.memory?.[limit?.name] ?? limit?.usual;
  return h(
    "section",
    { key: "what-if", class: state.whatIf && "tried" },
    h(
      "fieldset",
      { class: "segments" },
      h("legend", null, t("policy")),
      POLICIES.map((name) =>
        h("label", { key: name }, h("input", { type: "radio", name: "policy", value: name, checked: name === policy, onchange: () => tried({ policy: name, value: LIMITS[name]?.usual }) }), h("span", null, t(name))),
      ),
    ),
    limit &&
      h(
        "label",
        { class: "slider" },
        h("code", null, limit.name),
        h("input", { type: "range", min: limit.least, max: limit.most, step: limit.step ?? 1, value: String(value), oninput: (event) => tried({ policy, value: Number(event.target.value) }) }),
        h("output", null, number(value)),
      ),
    quiet(t("hint")),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main", disabled: !state.whatIf || !state.items.length, onclick: keep }, t("apply")),
      h("button", { disabled: !state.whatIf, onclick: () => tryOut(null) }, t("reset")),
    ),
  );
}

const sideBySide = (compared) =>
  bars(
    t("compared"),
    compared.map((one, place) => ({
      key: POLICIES[place],
      label: t(one.policy),
      value: one.tokens.total,
      told: [number(one.tokens.total), small(` ${number(one.retained)}/${number(one.retained + one.evicted)}`)],
      chosen: one.policy === state.context?.policy,
      onclick: () => tried({ policy: POLICIES[place], value: LIMITS[POLICIES[place]]?.usual }),
    })),
  );
