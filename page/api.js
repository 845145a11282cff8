// The API as any client sees it: fetch, OpenAI's envelope, server-sent events. Looking uses GET and dry runs alone.

/** An answer that is an error, in OpenAI's envelope. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    this.status = status;
  }
}

let key = "";
/** Say who asks, where the server wants to know; the key is kept nowhere else. */
export const use = (words) => (key = words);

const at = (...parts) => `/v1/${parts.map(encodeURIComponent).join("/")}`;
const of = (...parts) => at("conversations", ...parts);

async function asked(method, url, body, { headers = {}, signal } = {}) {
  const sent = { ...(key && { authorization: `Bearer ${key}` }), ...(body !== undefined && { "content-type": "application/json" }), ...headers };
  const answer = await fetch(url, { method, signal, headers: sent, body: body && JSON.stringify(body) });
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw new ApiError(answer.status, told?.error);
  }
  return answer;
}

const json = async (...request) => (await asked(...request)).json();

export const models = () => json("GET", "/v1/models");
export const conversations = () => json("GET", "/v1/conversations?limit=50");
export const change = (id, body) => json("POST", of(id), body);
export const erase = (id) => json("DELETE", of(id));
export const fork = (id, after) => json("POST", "/v1/conversations", { omoide: { fork: { conversation: id, after } } });
export const memory = (id) => json("GET", of(id, "memory"));
export const rebuildMemory = (id) => json("POST", of(id, "memory"), { rebuild: true });
export const append = (id, list) => json("POST", of(id, "items"), { items: list });
export const dryRun = (id, input, memory, signal) =>
  json("POST", "/v1/responses", { conversation: id, input, memory: { ...memory, dry_run: true } }, { signal });
export const forgetMemory = (id) => json("DELETE", of(id, "memory"));
export const correctFact = (id, body) => json("POST", at("memory", "facts", id), body);
export const forgetFact = (id) => json("DELETE", at("memory", "facts", id));
export const momento = (id) => json("GET", `/_local/momento/${encodeURIComponent(id)}`);
export const wipeMomento = () => json("DELETE", "/_local/momento");
export const compare = (id, policies) => json("POST", of(id, "context"), { compare: policies });

export function context(id, memory, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(memory ?? {})) {
    if (value === null || typeof value !== "object") query.set(name, value);
  }
  const text = query.toString();
  return json("GET", `${of(id, "context")}${text && `?${text}`}`, undefined, { signal });
}

export async function items(id) {
  const all = [];
  let after = "";
  for (;;) {
    const page = await json("GET", `${of(id, "items")}?order=asc&limit=100${after}`);
    all.push(...page.data);
    if (!page.has_more) return all;
    after = `&after=${encodeURIComponent(page.last_id)}`;
  }
}

/** Run a turn, and hand on its events as they come. */
export async function turn(body, { signal, tell }) {
  const start = performance.now();
  const answer = await asked("POST", "/v1/responses", { ...body, stream: true }, { signal, headers: { "idempotency-key": crypto.randomUUID() } });
  const told = { headers: Object.fromEntries(answer.headers), headersMs: performance.now() - start, firstMs: null, totalMs: null, answer: null };
  for await (const event of events(answer.body)) {
    if (told.firstMs === null && event.type?.endsWith(".delta")) told.firstMs = performance.now() - start;
    if (event.type === "error" || event.error) throw new ApiError(answer.status, event.error ?? event);
    if (event.response) told.answer = event.response;
    tell(event);
  }
  told.totalMs = performance.now() - start;
  return told;
}

/** Read server-sent events (WHATWG HTML, 9.2): the data of each, parsed; comments are pings. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split(/\r?\n\r?\n/);
    rest = frames.pop();
    for (const frame of frames) {
      const lines = frame.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      const data = lines.map((line) => line.slice(5).trimStart()).join("\n");
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}
