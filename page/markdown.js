// Model text as elements: paragraphs, code, lists, emphasis, links. Never HTML, so there is nothing to sanitise.

import { h } from "./dom.js";

export function markdown(text) {
  const blocks = [];
  const lines = text.split("\n");
  for (let place = 0; place < lines.length; ) {
    const fence = /^\s*(```+|~~~+)\s*(\S*)/.exec(lines[place]);
    if (fence) {
      const code = [];
      for (place++; place < lines.length && !lines[place].trim().startsWith(fence[1]); place++) code.push(lines[place]);
      place++;
      blocks.push(h("pre", { tabindex: 0 }, h("code", null, code.join("\n"))));
      continue;
    }
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+/.exec(lines[place]);
    if (item) {
      const ordered = item[1] !== undefined;
      const list = [];
      const pattern = ordered ? /^\s*\d+[.)]\s+/ : /^\s*[-*+]\s+/;
      for (; place < lines.length && pattern.test(lines[place]); place++) {
        list.push(h("li", null, inline(lines[place].replace(pattern, ""))));
      }
      blocks.push(h(ordered ? "ol" : "ul", ordered ? { start: item[1] } : null, list));
      continue;
    }
    const heading = /^(#{1,6})\s+(.*)/.exec(lines[place]);
    if (heading) {
      blocks.push(h("p", { class: "heading" }, inline(heading[2])));
      place++;
      continue;
    }
    const paragraph = [];
    for (; place < lines.length && lines[place].trim() && !/^\s*(```|~~~|[-*+]\s|\d+[.)]\s)/.test(lines[place]); place++) {
      if (paragraph.length) paragraph.push(h("br"));
      paragraph.push(...inline(lines[place]));
    }
    if (paragraph.length) blocks.push(h("p", null, paragraph));
    else place++;
  }
  return blocks;
}

const INLINE = /(`+)([\s\S]+?)\1|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>()「」、。]+)/g;

function inline(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index) });
    end = found.index + found[0].length;
    const [, , code, strong, strong2, em, label, href, bare] = found;
    if (code !== undefined) parts.push(h("code", null, code));
    else if (strong ?? strong2) parts.push(h("strong", null, strong ?? strong2));
    else if (em) parts.push(h("em", null, em));
    else parts.push(link(href ?? bare, label ?? bare));
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

const link = (href, label) => h("a", { href, rel: "noopener noreferrer nofollow", target: "_blank" }, label);
