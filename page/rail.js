// The conversations, the last active first.

import { button, h } from "./dom.js";
import { t, toggle } from "./i18n.js";
import { open, state, update } from "./state.js";

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
    button("new", () => open(null), "＋ ", t("new")),
    h(
      "ul",
      null,
      state.conversations.map((one) =>
        h(
          "li",
          { key: one.id },
          h(
            "button",
            { "aria-current": one.id === state.current ? "page" : null, onclick: () => open(one.id), title: one.id },
            h("span", { class: "title" }, one.omoide?.title || one.id),
            h("small", null, t("held", { n: one.omoide?.messages ?? 0 })),
          ),
        ),
      ),
    ),
  );
}

function switched() {
  toggle();
  update({});
}
