// The transcript and its line: above it messages are dim, since the model cannot see them; below it they are lit.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { markdown } from "./markdown.js";
import { again, branch, choose, eraseCurrent, inView, send, show, state, stop, textOf, update } from "./state.js";

export function transcript() {
  return h(
    "main",
    { key: "main", class: "chat" },
    state.current && head(),
    h(
      "div",
      { key: "log", class: "log", role: "log", "aria-live": "polite", "aria-busy": state.running ? "true" : null, tabindex: 0, "aria-label": t("chat"), onmade: (node) => (log = node) },
      state.items.length || state.running ? messages() : welcome(),
    ),
    composer(),
  );
}

let log;
/** Follow the newest words. */
export const toEnd = () => log?.scrollTo({ top: log.scrollHeight });

function head() {
  const seen = inView();
  const hidden = state.context ? state.items.filter((item) => !seen.has(item.id)).length : 0;
  const title = state.conversations.find((one) => one.id === state.current)?.omoide?.title;
  return h(
    "header",
    { key: "head", class: "head" },
    h("h2", null, title || state.current),
    state.context &&
      h(
        "button",
        { class: "chip", onclick: () => line?.scrollIntoView({ block: "center", behavior: "smooth" }), disabled: !hidden },
        hidden ? `↑ ${t("hidden", { n: hidden })}` : t("allSeen"),
      ),
    state.items.length > 0 && h("button", { class: "plain", onclick: eraseCurrent }, t("erase")),
  );
}

function welcome() {
  return h(
    "section",
    { key: "welcome", class: "welcome" },
    h("p", { class: "tagline" }, t("tagline")),
    !state.loading && h("p", null, t("none")),
    h("div", { class: "examples" }, ["example1", "example2", "example3"].map((key) => h("button", { key, onclick: () => send(t(key)) }, t(key)))),
  );
}

let line;

function messages() {
  const seen = inView();
  const known = state.context !== null;
  const tokens = tokensByItem();
  const parts = [];
  let above = false;
  let drawn = false;
  for (const item of state.items) {
    const visible = !known || seen.has(item.id);
    if (visible && above && !drawn && item.role !== "system" && item.role !== "developer") {
      drawn = true;
      parts.push(border());
    }
    above ||= !visible;
    parts.push(message(item, visible, tokens.get(item.id)));
  }
  if (above && !drawn) parts.push(border());
  const recalled = state.context?.messages?.filter((one) => one.part === "recalled") ?? [];
  if (recalled.length) parts.push(standIn("recalled", recalled));
  if (state.running) parts.push(...running());
  else if (state.items.length) parts.push(h("p", { key: "again", class: "again" }, h("button", { class: "plain", onclick: again, title: t("askAgain") }, "↻ ", t("again"))));
  return parts;
}

function border() {
  const notes = state.context?.messages?.filter((one) => one.part === "notes") ?? [];
  return h(
    "div",
    { key: "line", class: "line", role: "separator", "aria-label": t("line"), onmade: (node) => (line = node) },
    notes.length > 0 && standIn("notes", notes),
    h("span", null, "▼ ", t("line")),
  );
}

function standIn(kind, told) {
  const ids = told.flatMap((one) => one.item_ids ?? []);
  return h(
    "aside",
    { key: kind, class: `stand-in ${kind}` },
    h("button", { class: "plain", onclick: () => choose("memory") }, "✎ ", t(kind)),
    " ",
    t("tokens", { n: told.reduce((sum, one) => sum + (one.tokens ?? 0), 0) }),
    ids.map((id, place) => h("button", { key: id, class: "plain", onclick: () => show(id) }, `[${place + 1}]`)),
  );
}

/** Tokens of a message stand at its last item. */
function tokensByItem() {
  const tokens = new Map();
  for (const told of [...(state.context?.messages ?? []), ...(state.context?.left_out ?? [])]) {
    const ids = told.item_ids ?? [told.item_id];
    if (told.tokens !== undefined && told.tokens !== null) tokens.set(ids.at(-1), told.tokens);
  }
  return tokens;
}

function message(item, visible, tokens) {
  const kind = item.type === "message" ? item.role : item.type;
  const names = { user: "you", assistant: "assistant", system: "system", developer: "system", reasoning: "reasoning" };
  return h(
    "article",
    {
      key: item.id,
      class: `message ${item.type === "message" ? kind : "tool"}`,
      "data-item-id": item.id,
      "data-in-view": String(visible),
      tabindex: -1,
    },
    h(
      "header",
      null,
      h("strong", null, t(names[kind] ?? "tool")),
      tokens !== undefined && h("small", null, t("tokens", { n: tokens })),
      item.omoide?.turn_id && state.turns.has(item.omoide.turn_id) && item.role === "assistant" && cacheChip(item.omoide.turn_id),
      item.role === "assistant" && h("button", { class: "plain quiet", onclick: () => branch(item) }, "⑂ ", t("fork")),
    ),
    h("div", { class: "text" }, body(item)),
  );
}

function body(item) {
  if (item.type === "message") return markdown(textOf(item));
  if (item.type === "reasoning") return (item.summary ?? []).map((part) => h("p", null, part.text ?? ""));
  const words = item.arguments ?? item.input ?? item.output ?? "";
  return h("pre", { tabindex: 0 }, h("code", null, `${item.name ? `${item.name} ` : ""}${typeof words === "string" ? words : JSON.stringify(words)}`));
}

function cacheChip(turn) {
  const status = state.turns.get(turn).headers["x-cache"];
  return status && h("button", { class: `chip ${status.toLowerCase()}`, onclick: () => (update({ shownTurn: turn }), choose("turn")) }, status);
}

function running() {
  return [
    h("article", { key: "asked", class: "message user", "data-in-view": "true" }, h("header", null, h("strong", null, t("you"))), h("div", { class: "text" }, markdown(state.running.input))),
    h(
      "article",
      { key: "answering", class: "message assistant", "data-in-view": "true" },
      h("header", null, h("strong", null, t("assistant"))),
      h("div", { class: "text", id: "answering" }, state.running.text ? markdown(state.running.text) : h("p", { class: "wait" }, "…")),
    ),
  ];
}

function composer() {
  return h(
    "form",
    { key: "composer", class: "composer", onsubmit: (event) => (event.preventDefault(), send(state.draft)) },
    h("label", { for: "draft", class: "hidden" }, t("message")),
    h("textarea", {
      id: "draft",
      rows: 2,
      placeholder: t("placeholder"),
      value: state.draft,
      oninput: (event) => update({ draft: event.target.value }),
      onkeydown: entered,
    }),
    h(
      "div",
      { class: "row" },
      state.models.length > 1 &&
        h(
          "select",
          { "aria-label": t("model"), value: state.model, onchange: (event) => update({ model: event.target.value }) },
          h("option", { value: "" }, t("model")),
          state.models.map((model) => h("option", { key: model, value: model }, model)),
        ),
      h("span", { class: "grow" }, next()),
      state.running
        ? h("button", { key: "stop", type: "button", class: "main", onclick: stop }, "■ ", t("stop"))
        : h("button", { key: "send", type: "submit", class: "main", disabled: !state.draft.trim() }, t("send")),
    ),
  );
}

const next = () => state.context?.tokens?.total !== undefined && t("tokens", { n: state.context.tokens.total });

/** Enter sends, but not while an input method composes: Safari tells that by the key code alone. */
function entered(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send(state.draft);
}
