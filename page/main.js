// The page: rail, transcript, inspector. One state, drawn anew whenever it changes.

import { button, h, render } from "./dom.js";
import { start, t } from "./i18n.js";
import { rail } from "./rail.js";
import { boot, choose, lookInTab, onChange, open, state, update } from "./state.js";
import { TABS } from "./tabs.js";
import { toEnd, transcript } from "./transcript.js";

const app = document.getElementById("app");

function draw() {
  document.body.dataset.pane = state.pane;
  render(app, [h("h1", { class: "hidden" }, "Omoide"), rail(), transcript(), inspector(), switcher(), state.error && trouble()]);
}

function inspector() {
  const names = Object.keys(TABS);
  return h(
    "section",
    { key: "inspector", class: "inspector", "aria-label": t("inspector") },
    h("div", { class: "tabs", role: "tablist", "aria-label": t("inspector") }, names.map((name) => tab(name, state.tab === name, names))),
    h("div", { key: `panel-${state.tab}`, class: "panel", id: "panel", role: "tabpanel", tabindex: 0, "aria-labelledby": `tab-${state.tab}` }, TABS[state.tab]()),
  );
}

function tab(name, open, names) {
  const described = { key: name, role: "tab", id: `tab-${name}`, "aria-selected": String(open), "aria-controls": "panel", tabindex: open ? 0 : -1 };
  return h("button", { ...described, onclick: () => choose(name), onkeydown: (event) => moved(event, names, name) }, name === "momento" ? "Momento" : t(name));
}

function moved(event, names, name) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const next = { Home: names[0], End: names.at(-1) }[event.key] ?? (step && names[(names.indexOf(name) + step + names.length) % names.length]);
  if (!next) return;
  event.preventDefault();
  update({ tab: next });
  lookInTab();
  document.getElementById(`tab-${next}`).focus();
}

/** On a phone: one pane at a time, the conversations first. */
function switcher() {
  return h(
    "nav",
    { key: "switch", class: "switch", "aria-label": t("inspector") },
    ["chats", "chat", "inspector"].map((pane) => h("button", { key: pane, "aria-pressed": String(state.pane === pane), onclick: () => update({ pane }) }, t(pane))),
  );
}

function trouble() {
  return h("div", { key: "trouble", class: "trouble", role: "alert" }, h("span", null, state.error), button("plain", () => update({ error: null }), t("close")));
}

start();
let due = false;
onChange(() => {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
    if (state.follow) toEnd();
  });
});
addEventListener("hashchange", () => open(decodeURIComponent(location.hash.slice(1)) || null));
if (matchMedia("(max-width: 47.99rem)").matches) state.pane = "chats";
draw();
boot().then(() => {
  document.body.dataset.ready = "true";
  performance.mark("usable");
});
