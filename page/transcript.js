// The transcript and its line: above it messages are dim, since the model cannot see them; below it they are lit.

import { button, h, small } from "./dom.js";
import { number, t, when } from "./i18n.js";
import { markdown } from "./markdown.js";
import { again, againWithAll, branch, choose, demonstrate, eraseCurrent, inView, regenerate, send, show, state, stop, textOf, turnOf, unlock, update, write } from "./state.js";

export function transcript() {
  return h(
    "section",
    { key: "chat", class: "chat", "aria-label": t("chat") },
    state.current && head(),
    h(
      "div",
      { key: "log", class: "log", role: "log", "aria-live": "polite", "aria-busy": state.running ? "true" : null, tabindex: 0, "aria-label": t("chat"), onmade: (node) => (log = node) },
      state.locked ? locked() : state.items.length || state.running || state.stopped ? messages() : welcome(),
    ),
    !state.locked && composer(),
  );
}

let log;
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
        { key: "seen", class: "chip", onclick: toLine, disabled: !hidden },
        hidden ? `↑ ${t("hidden", { n: hidden })}` : t("allSeen"),
      ),
    state.items.length > 0 && h("button", { key: "erase", class: "plain danger", onclick: eraseCurrent }, t("erase")),
  );
}

/** Ask for a key, where the server lets nobody in without one. */
const locked = () =>
  h(
    "form",
    { key: "locked", class: "welcome", onsubmit: (event) => (event.preventDefault(), unlock(event.target.elements[0].value.trim())) },
    h("label", { class: "tagline", for: "key" }, t("locked")),
    h("p", null, t("keyHint")),
    h("input", { id: "key", type: "password", autocomplete: "off", required: true }),
    h("button", { class: "main" }, t("send")),
  );

export const demo = () => [h("p", { class: "tagline" }, t("tagline")), button("main", demonstrate, t("demo"))];

function welcome() {
  return h(
    "section",
    { key: "welcome", class: "welcome" },
    demo(),
    h("p", null, t("none")),
    h("div", { class: "examples" }, ["example1", "example2"].map((key) => h("button", { key, onclick: () => send(t(key)) }, t(key)))),
  );
}

let line;
export const toLine = () => line?.isConnected && line.scrollIntoView({ block: "center", behavior: "smooth" });

function messages() {
  const seen = inView();
  const known = state.context !== null;
  const told = toldByItem();
  const parts = [];
  let above = false;
  let drawn = false;
  for (const item of state.items) {
    const visible = !known || seen.has(item.id);
    if (visible && above && !drawn && item.role !== "system" && item.role !== "developer") {
      drawn = true;
      parts.push(...border());
    }
    above ||= !visible;
    parts.push(message(item, visible, told.get(item.id) ?? {}));
  }
  if (above && !drawn) parts.push(...border());
  const recalled = state.context?.messages?.filter((one) => one.part === "recalled") ?? [];
  if (recalled.length) parts.push(standIn("recalled", recalled));
  if (state.running) parts.push(asking(state.running.input), answering());
  else if (state.stopped) parts.push(asking(state.stopped.input), h("p", { key: "stopped", class: "again", role: "status" }, t("stopped")));
  else if (state.items.some((item) => item.role === "user")) parts.push(anew(above));
  return parts;
}

/** What comes next: of the demonstration, the proof that what is above the line was not lost. */
const anew = (hidden) => [
  h("p", { key: "again", class: "again" }, button("plain", again, "↻ ", t("again")), h("button", { class: "plain", onclick: regenerate, title: t("inFork") }, t("regenerate"))),
  hidden && state.current.startsWith("demo-") && h("p", { key: "proof", class: "again" }, button("main", againWithAll, t("proof"))),
];

function border() {
  const notes = state.context?.messages?.filter((one) => one.part === "notes") ?? [];
  return [notes.length > 0 && standIn("notes", notes), h("div", { key: "line", class: "line", role: "separator", "aria-label": t("line"), onmade: (node) => (line = node) }, h("span", null, "▼ ", t("line")))];
}

function standIn(kind, told) {
  const shown = kind === "recalled" ? (state.context?.recall?.shown ?? []) : [];
  return h(
    "div",
    { key: kind, class: `stand-in ${kind}`, role: "note" },
    button("plain", () => choose("memory"), kind === "notes" ? "✎ " : "⟲ ", t(kind)),
    small(t("tokens", { n: told.reduce((sum, one) => sum + (one.tokens ?? 0), 0) })),
    shown.map((one) => h("button", { key: one.item_id, class: "chip", onclick: () => show(one.item_id) }, `“${short(one.item_id)}” ${number(one.score)}`)),
  );
}

export function short(id) {
  const text = textOf(state.items.find((item) => item.id === id) ?? {}).split("\n")[0];
  return text.length > 32 ? `${text.slice(0, 31)}…` : text || "…";
}

/** Find what is told of an item: the tokens of a message stand at its last one, a reason at what is left out. */
export function toldByItem() {
  const found = new Map();
  for (const told of state.context?.messages ?? []) {
    if (told.item_ids.length && told.part !== "recalled") found.set(told.item_ids.at(-1), { tokens: told.tokens });
  }
  for (const told of state.context?.left_out ?? []) {
    if (!found.has(told.item_id)) found.set(told.item_id, { tokens: told.tokens, reason: told.reason });
  }
  for (const told of state.context?.recall?.shown ?? []) found.set(told.item_id, { ...found.get(told.item_id), reason: "recalled" });
  return found;
}

function message(item, visible, { tokens, reason }) {
  const kind = item.type === "message" ? item.role : item.type;
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
      h("strong", null, t(kind === "developer" ? "system" : kind, {}, t("tool"))),
      Number.isFinite(tokens) && small(t("tokens", { n: tokens })),
      small(when(item.omoide.created_at)),
      reason && reason !== "window" && h("small", { class: `reason ${reason}` }, t(`reason_${reason}`, {}, reason)),
      item.role === "assistant" && cacheChip(turnOf(item)),
      item.role === "assistant" && button("plain quiet", () => branch(item), t("fork")),
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

function cacheChip(told) {
  const status = told?.answer.omoide?.cache?.status?.toUpperCase() ?? told?.headers["x-cache"];
  return status && h("button", { class: `chip ${status.toLowerCase()}`, onclick: () => (update({ shownTurn: told.answer.id }), choose("turn")) }, status);
}

const pending = (key, role, ...text) =>
  h("article", { key, class: `message ${role}`, "data-in-view": "true" }, h("header", null, h("strong", null, t(role))), h("div", { class: "text", id: key }, text));

const asking = (input) => pending("asking", "user", markdown(input));
const answering = () => pending("answering", "assistant", state.running.text ? markdown(state.running.text) : h("p", { class: "wait" }, "…"));

function composer() {
  return h(
    "form",
    { key: "composer", class: "composer", onsubmit: (event) => (event.preventDefault(), send(state.draft)) },
    h("label", { for: "draft", class: "hidden" }, t("message")),
    h("textarea", { id: "draft", rows: 2, placeholder: t("placeholder"), value: state.draft, oninput: (event) => write(event.target.value), onkeydown: entered }),
    h(
      "div",
      { class: "row" },
      state.models.length > 0 &&
        h(
          "select",
          { "aria-label": t("model"), value: state.model, onchange: (event) => update({ model: event.target.value }) },
          h("option", { value: "" }, t("model")),
          state.models.map((model) => h("option", { key: model, value: model }, model)),
        ),
      h("span", { class: "grow" }, state.whatIf && h("span", { class: "tag" }, t("whatif")), next()),
      state.running
        ? h("button", { key: "stop", type: "button", class: "main", onclick: stop }, "■ ", t("stop"))
        : h("button", { key: "send", type: "submit", class: "main", disabled: !state.draft.trim() }, t("send")),
    ),
  );
}

function next() {
  const told = state.context;
  return told && t("next", { n: told.tokens.total });
}

/** Enter sends, but not while an input method composes: Safari tells that by the key code alone. */
function entered(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send(state.draft);
}
