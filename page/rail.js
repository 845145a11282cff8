// The conversations, the last active first.

import { button, h, small } from "./dom.js";
import { t, toggle } from "./i18n.js";
import { open, state, update } from "./state.js";
import { demo } from "./transcript.js";

export function rail() {
  return h(
    "nav",
    { key: "rail", class: "rail", "aria-label": t("conversations") },
    h(
      "header",
      null,
      h("strong", null, h("img", { src: "/page/icon.svg", alt: "", width: 24, height: 24 }), "Omoide ", h("small", { lang: "ja" }, "思い出")),
      h("button", { class: "plain", lang: t("language") === "English" ? "en" : "ja", onclick: switched }, t("language")),
    ),
    !state.conversations.length && !state.loading && !state.locked && h("section", { class: "invite" }, demo()),
    button("new", () => open(null), "＋ ", t("new")),
    h("ul", null, state.conversations.map(line)),
  );
}

const line = ({ id, omoide }) =>
  h(
    "li",
    { key: id },
    h("button", { "aria-current": id === state.current ? "page" : null, onclick: () => open(id), title: id }, h("span", { class: "title" }, omoide.title || id), small(t("held", { n: omoide.messages }))),
  );

function switched() {
  toggle();
  update({});
}
