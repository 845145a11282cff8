// The tab of a turn: what the response cache did, what was saved, and where the time went.

import { bars, pairs, serverTiming } from "./chart.js";
import { h, quiet, section, small } from "./dom.js";
import { t } from "./i18n.js";
import { show, state } from "./state.js";

export function turn() {
  const told = state.turns.get(state.shownTurn);
  if (!told) return quiet(t("noTurn"));
  const { answer, headers } = told;
  const cache = answer.omoide?.cache ?? {};
  const memory = answer.omoide?.memory ?? {};
  const status = (cache.status ?? headers["x-cache"] ?? "").toLowerCase();
  return section(
    "turn",
    t("cache"),
    h("p", { class: `big ${status}` }, status ? status.toUpperCase() : "–", small(status && t(status))),
    cache.saved_tokens > 0 && h("p", { class: "good" }, t("savedTold", { n: cache.saved_tokens, m: Math.round(cache.saved_ms ?? 0) })),
    pairs([
      [t("age"), status === "hit" && cache.age !== undefined && t("seconds", { n: cache.age })],
      ["Cache-Status", h("code", null, headers["cache-status"])],
      [t("usage"), answer.usage && t("usageTold", { i: answer.usage.input_tokens, o: answer.usage.output_tokens })],
      [t("memory"), memory.policy && `${t(memory.policy)} · ${t("kept", { n: memory.retained, m: memory.retained + memory.evicted })}`],
      [t("recalled"), memory.recalled?.length > 0 && memory.recalled.map((id, place) => h("button", { key: id, class: "plain", onclick: () => show(id) }, `[${place + 1}]`))],
      [t("model"), answer.model],
      [t("turn"), h("code", null, answer.omoide?.turn_id)],
      [t("firstToken"), told.firstMs !== null && ms(told.firstMs)],
      [t("whole"), ms(told.totalMs)],
    ]),
    bars(t("timing"), waterfall(told, cache)),
  );
}

const ms = (value) => t("ms", { n: Math.round(value) });

/** Put the service's stages one after another, then the stream; a hit shows the model's time that it spared. */
function waterfall(told, cache) {
  const rows = [];
  const row = (label, start, value, kind) => rows.push({ key: label, label, start, value, told: ms(value), kind });
  let end = 0;
  const stages = serverTiming(told.headers["server-timing"]);
  for (const stage of stages) {
    // What comes before the first event is a part of the model's time.
    if (stage.name === "total" || (stage.name === "first_event" && stages.some((one) => one.name === "model"))) continue;
    row(stage.name, end, stage.ms, "part-input");
    end += stage.ms;
  }
  const first = Math.max(told.firstMs ?? told.headersMs, end);
  row(t("stage_way"), end, first - end, "part-framing");
  if (told.totalMs > first) row(t("stage_stream"), first, told.totalMs - first, "part-history");
  if (cache.saved_ms > 0) row(t("stage_saved"), end, cache.saved_ms, "spared");
  return rows;
}
