// What the page knows, and what it does. Looking asks with GET alone; only sending, keeping and erasing write.

import * as api from "./api.js";
import { t } from "./i18n.js";

export const POLICIES = ["buffer", "message_window", "turn_window", "token_window", "summary_window"];
export const LIMITS = {
  message_window: { name: "max_messages", least: 1, most: 60, usual: 20 },
  turn_window: { name: "max_turns", least: 1, most: 30, usual: 6 },
  token_window: { name: "max_tokens", least: 50, most: 4000, usual: 500, step: 50 },
  summary_window: { name: "trigger_tokens", least: 200, most: 8000, usual: 4000, step: 100 },
};

export const state = {
  conversations: [],
  current: null,
  items: [],
  context: null,
  whatIf: null,
  compared: null,
  turns: new Map(),
  shownTurn: null,
  memory: null,
  momento: null,
  models: [],
  model: "",
  tab: "context",
  pane: "chat",
  draft: "",
  running: null,
  error: null,
  loading: false,
};

let changed = () => {};
export const onChange = (listener) => (changed = listener);

/** Change what is known, and show it. */
export function update(change) {
  Object.assign(state, change);
  changed();
}

/** The settings of the memory that the next turn is asked with: null, what is stored. */
export const asked = () => state.whatIf && settings(state.whatIf);

export function settings({ policy, value }) {
  const limit = LIMITS[policy];
  // What is stored is merged with: of two triggers, and of what belongs to one, nothing may be left.
  const instead = policy === "summary_window" ? { trigger_messages: null, keep: null, max_tokens: null } : {};
  return limit ? { policy, ...instead, [limit.name]: value } : { policy };
}

async function guarded(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") update({ error: error.message || t("failed") });
    return undefined;
  }
}

/** Read what the page opens with. */
export async function boot() {
  await guarded(async () => {
    update({ loading: true });
    const [list, models] = [await api.conversations(), await api.models().catch(() => ({ data: [] }))];
    const chat = models.data.map((model) => model.id).filter((id) => !id.includes("embedding"));
    update({ conversations: list.data, models: chat, loading: false });
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted) await open(wanted);
    else if (list.data.length && matchMedia("(min-width: 48rem)").matches) await open(list.data[0].id);
  });
  update({ loading: false });
}

/** Show a conversation. */
export async function open(id) {
  if (state.running) stop();
  const nothing = { items: [], context: null, compared: null, memory: null, momento: null, shownTurn: null, whatIf: null };
  update({ current: id, pane: "chat", ...nothing });
  history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
  if (id) await refresh();
}

/** Read the open conversation anew. */
export async function refresh() {
  const id = state.current;
  await guarded(async () => {
    const items = await api.items(id).catch(noneYet);
    if (state.current !== id) return;
    update({ items: items ?? [] });
    if (items) await look();
  });
}

const noneYet = (error) => {
  if (error.status === 404) return null;
  throw error;
};

let looking = null;

/** Ask what the model would see now. */
export async function look() {
  looking?.abort();
  looking = new AbortController();
  const id = state.current;
  await guarded(async () => {
    const context = await api.context(id, asked(), looking.signal);
    if (state.current === id) update({ context });
    await lookInTab();
  });
}

/** Read what the open tab shows beside the context. */
export async function lookInTab() {
  const id = state.current;
  const reads = {
    context: async () => ({ compared: state.items.length ? await compared(id) : null }),
    memory: async () => ({ memory: await api.memory(id).catch(noneYet) }),
    momento: async () => ({ momento: await api.momento(id).catch(noneYet) }),
  };
  if (!id || !(state.tab in reads)) return;
  await guarded(async () => {
    const found = await reads[state.tab]();
    if (state.current === id) update(found);
  });
}

async function compared(id) {
  const policies = POLICIES.map((policy) =>
    settings(state.whatIf?.policy === policy ? state.whatIf : { policy, value: LIMITS[policy]?.usual }),
  );
  return (await api.compare(id, policies).catch(noneYet))?.data ?? null;
}

export function choose(tab) {
  update({ tab, pane: "inspector" });
  lookInTab();
}

let waiting;

/** Look through other settings of the memory; nothing is stored. */
export function tryOut(whatIf) {
  update({ whatIf });
  clearTimeout(waiting);
  waiting = setTimeout(look, 120);
}

/** Store the settings that are tried out with the conversation. */
export async function keep() {
  await guarded(() => api.change(state.current, { memory: asked() }));
  update({ whatIf: null });
  await look();
}

/** Say something, and show what comes back as it comes. */
export async function send(text) {
  const input = text.trim();
  if (!input || state.running) return;
  const id = state.current ?? `chat-${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`;
  const running = { input, text: "", stopper: new AbortController() };
  update({ running, current: id, draft: "", error: null });
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  const body = { conversation: id, input };
  if (state.model) body.model = state.model;
  if (state.whatIf) body.memory = asked();
  const told = await guarded(() =>
    api.turn(body, {
      signal: running.stopper.signal,
      tell: (event) => {
        if (event.type === "response.output_text.delta" || event.type === "response.refusal.delta") {
          running.text += event.delta;
          update({ running });
        }
      },
    }),
  );
  if (told?.answer) {
    const turn = told.answer.omoide?.turn_id;
    state.turns.set(turn, told);
    update({ shownTurn: turn });
  } else if (!running.text) update({ draft: input });
  update({ running: null });
  await refresh();
  const list = await guarded(api.conversations);
  if (list) update({ conversations: list.data });
}

export const stop = () => state.running?.stopper.abort();

/** Say again what was said last, with what the model sees now. */
export function again() {
  const last = state.items.findLast((item) => item.role === "user");
  if (last) send(textOf(last));
}

export const textOf = (item) =>
  typeof item.content === "string" ? item.content : (item.content ?? []).map((part) => part.text ?? part.refusal ?? "").join("\n");

export async function branch(item) {
  const made = await guarded(() => api.fork(state.current, item.id));
  if (!made) return;
  update({ conversations: (await api.conversations()).data });
  await open(made.id);
}

export async function eraseCurrent() {
  if (!confirm(t("eraseSure"))) return;
  await guarded(() => api.erase(state.current));
  update({ conversations: (await api.conversations()).data, pane: "chats" });
  await open(null);
  update({ pane: "chats" });
}

export async function forget(fact) {
  await guarded(() => (fact ? api.forgetFact(fact.id) : api.forgetMemory(state.current)));
  await look();
}

export async function correct(fact) {
  const words = prompt(t("correctTo"), fact.object_value);
  if (!words || words === fact.object_value) return;
  await guarded(() => api.correctFact(fact.id, { object_value: words, version: fact.version }));
  await look();
}

export async function wipe() {
  await guarded(api.wipeMomento);
  await lookInTab();
}

/** Bring an item to where it can be seen. */
export function show(itemId) {
  update({ pane: "chat" });
  const node = document.querySelector(`[data-item-id="${CSS.escape(itemId)}"]`);
  node?.scrollIntoView({ block: "center", behavior: "smooth" });
  node?.focus({ preventScroll: true });
}

/** Ids of the items that the model would see. */
export function inView() {
  const { messages, left_out: leftOut = [] } = state.context ?? {};
  if (messages) return new Set(messages.flatMap((message) => message.item_ids));
  const out = new Set(leftOut.map((left) => left.item_id));
  return new Set(state.items.map((item) => item.id).filter((id) => !out.has(id)));
}
