// What the page knows, and what it does. Looking asks with GET alone; only sending, keeping and erasing write.

import * as api from "./api.js";
import { DEMO } from "./demo.js";
import { language, t } from "./i18n.js";

export const POLICIES = ["buffer", "message_window", "turn_window", "token_window", "summary_window"];
export const LIMITS = {
  message_window: { name: "max_messages", least: 1, most: 60, usual: 20 },
  turn_window: { name: "max_turns", least: 1, most: 30, usual: 6 },
  token_window: { name: "max_tokens", least: 50, most: 4000, usual: 500, step: 50 },
  summary_window: { name: "trigger_tokens", least: 200, most: 8000, usual: 4000, step: 100 },
};

const NOTHING = { items: [], context: null, compared: null, memory: null, momento: null, shownTurn: null, whatIf: null, editing: null, stopped: null };

export const state = {
  ...NOTHING,
  conversations: [],
  current: null,
  turns: new Map(),
  models: [],
  model: "",
  tab: "context",
  pane: "chat",
  draft: "",
  running: null,
  error: null,
  loading: false,
  locked: false,
  follow: false,
};

let changed = () => {};
export const onChange = (listener) => (changed = listener);

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
    if (error.status === 401) update({ locked: true, pane: "chat", error: state.locked ? error.message : null });
    else if (error.name !== "AbortError") update({ error: error.message || t("failed") });
    return undefined;
  }
}

export async function boot() {
  await guarded(async () => {
    update({ loading: true });
    const [list, models] = [await api.conversations(), await api.models().catch(() => ({ data: [] }))];
    const chat = models.data.map((model) => model.id).filter((id) => !id.includes("embedding"));
    update({ conversations: list.data, models: chat, locked: false, error: null });
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted) await open(wanted);
    else if (list.data.length && matchMedia("(min-width: 48rem)").matches) await open(list.data[0].id);
  });
  update({ loading: false });
}

export function unlock(key) {
  api.use(key);
  return boot();
}

export async function open(id) {
  if (state.running) stop();
  update({ current: id, pane: "chat", draft: "", follow: true, ...NOTHING });
  history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
  if (id) await refresh();
  followed();
}

/** The newest words are followed until what was asked for is drawn. */
const followed = () => requestAnimationFrame(() => (state.follow = state.running !== null));

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

/** Ask what the model would see now, with what is written in its place. Neither asking stores anything. */
export async function look() {
  looking?.abort();
  looking = new AbortController();
  const [id, input, { signal }] = [state.current, state.draft.trim(), looking];
  if (!id) return;
  await guarded(async () => {
    const context = input ? await api.dryRun(id, input, asked(), signal) : await api.context(id, asked(), signal);
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
    momento: async () => ({ momento: await api.momento(id).catch(noneYet), momentoAt: Date.now() }),
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

function lookSoon(milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(look, milliseconds);
}

/** Look through other settings of the memory; nothing is stored. */
export function tryOut(whatIf) {
  update({ whatIf });
  lookSoon(120);
}

/** Take what is being written; the context shows it in its place, and what it brings up. */
export function write(draft) {
  update({ draft });
  lookSoon(300);
}

async function changing(work) {
  await guarded(work);
  await look();
}

/** Store the settings that are tried out with the conversation. */
export function keep() {
  const memory = asked();
  update({ whatIf: null });
  return changing(() => api.change(state.current, { memory }));
}

/** Say something, and show what comes back as it comes. */
export async function send(text) {
  const input = text.trim();
  if (!input || state.running) return;
  clearTimeout(waiting);
  const id = state.current ?? fresh("chat");
  const running = { input, text: "", stopper: new AbortController() };
  update({ running, current: id, draft: "", error: null, stopped: null, follow: true });
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
    state.turns.set(told.answer.id, told);
    update({ shownTurn: told.answer.id });
  }
  const stopped = running.stopper.signal.aborted;
  if (state.current !== id) return update({ running: null });
  if (!told && !stopped) update({ draft: input });
  update({ running: null, stopped: stopped ? { input, known: state.items.length } : null });
  await refresh();
  await list();
  followed();
  if (stopped) await awaited(id);
}

const fresh = (word) => `${word}-${crypto.randomUUID().slice(0, 13)}`;

async function list() {
  const found = await guarded(api.conversations);
  if (found) update({ conversations: found.data });
}

export const stop = () => state.running?.stopper.abort();

/** Wait for a turn that nobody reads any more: it goes on, and is stored whole. */
async function awaited(id) {
  for (let tries = 0; tries < 30 && state.stopped && state.current === id; tries++) {
    await new Promise((done) => setTimeout(done, 1000));
    if (!state.stopped || state.current !== id) return;
    const items = await api.items(id).catch(() => []);
    if (items.length <= state.stopped?.known) continue;
    update({ stopped: null });
    await refresh();
    return list();
  }
}

export function again() {
  const last = state.items.findLast((item) => item.role === "user");
  if (last) send(textOf(last));
}

export const againWithAll = () => (update({ whatIf: { policy: "buffer" } }), again());

/** Ask the last question anew, in a fork. */
export async function regenerate() {
  const place = state.items.findLastIndex((item) => item.role === "user");
  const question = textOf(state.items[place]);
  const whatIf = state.whatIf;
  if (place === 0) await open(null);
  else if (!(await branch(state.items[place - 1]))) return;
  update({ whatIf });
  await send(question);
}

export async function demonstrate() {
  const id = fresh("demo");
  const items = DEMO[language()].map((content, place) => ({ type: "message", role: place % 2 ? "assistant" : "user", content }));
  if (!(await guarded(() => api.append(id, items)))) return;
  await open(id);
  await send(t("example2"));
}

export const turnOf = (item) => [...state.turns.values()].find((told) => told.answer.output.some((one) => one.id === item.id));

export const textOf = (item) =>
  typeof item.content === "string" ? item.content : (item.content ?? []).map((part) => part.text ?? part.refusal ?? "").join("\n");

export async function branch(item) {
  const made = await guarded(() => api.fork(state.current, item.id));
  if (!made) return false;
  await list();
  await open(made.id);
  return true;
}

export async function eraseCurrent() {
  if (!confirm(t("eraseSure"))) return;
  await guarded(() => api.erase(state.current));
  await list();
  await open(null);
  update({ pane: "chats" });
}

export const forget = (fact) => changing(() => (fact ? api.forgetFact(fact.id) : api.forgetMemory(state.current)));

export async function correct(fact, words) {
  update({ editing: null });
  if (words && words !== fact.object_value) await changing(() => api.correctFact(fact.id, { object_value: words, version: fact.version }));
}

export const rebuild = () => changing(() => api.rebuildMemory(state.current));

export async function wipe() {
  await guarded(api.wipeMomento);
  await lookInTab();
}

export function show(itemId) {
  update({ pane: "chat" });
  const node = document.querySelector(`[data-item-id="${CSS.escape(itemId)}"]`);
  node?.scrollIntoView({ block: "center", behavior: "smooth" });
  node?.focus({ preventScroll: true });
}

/** Ids of the items that the model would see in their own place; what is recalled is quoted in another. */
export function inView() {
  const { messages, left_out: leftOut = [] } = state.context ?? {};
  if (messages) return new Set(messages.filter((one) => one.part !== "recalled").flatMap((one) => one.item_ids));
  const out = new Set(leftOut.map((left) => left.item_id));
  return new Set(state.items.map((item) => item.id).filter((id) => !out.has(id)));
}
