// What each tab of the inspector shows.

import { context } from "./context.js";
import { h } from "./dom.js";
import { memory } from "./memory.js";
import { momento } from "./momento.js";
import { asked, state } from "./state.js";
import { turn } from "./turn.js";

function json() {
  const told = { context: state.context, asked: asked(), turn: state.turns.get(state.shownTurn)?.answer, memory: state.memory, momento: state.momento };
  return h("section", { key: "json" }, h("pre", { tabindex: 0 }, h("code", null, JSON.stringify(told, null, 2))));
}

export const TABS = { context, turn, memory, momento, json };
