// Elements from plain descriptions, and the least change that brings the page up to a new one. Text is always text.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "circle", "text", "title"]);

export const small = (...children) => h("small", null, ...children);

/** Describe an element. Children are descriptions, texts, numbers, or lists of them; null, true and false are nothing. */
export function h(tag, props, ...children) {
  const { key, ...rest } = props ?? {};
  return { tag, key, props: rest, children: flat(children) };
}

export const button = (kind, onclick, ...children) => h("button", { class: kind || null, onclick }, ...children);
export const section = (key, title, ...children) => h("section", { key }, h("h2", null, title), ...children);
export const quiet = (...children) => h("p", { class: "quiet" }, ...children);

function flat(children, into = []) {
  for (const child of children) {
    if (Array.isArray(child)) flat(child, into);
    else if (child !== null && child !== undefined && typeof child !== "boolean") {
      into.push(typeof child === "object" ? child : { text: String(child) });
    }
  }
  return into;
}

/** Make the children of an element be those described; elements with the same tag and key are kept. */
export function render(parent, children) {
  const wanted = flat([children]);
  const known = new Map();
  let count = 0;
  for (const node of parent.childNodes) known.set(nameOf(node.described ?? { text: "" }, count++), node);
  let place = parent.firstChild;
  wanted.forEach((described, index) => {
    const name = nameOf(described, index);
    let node = known.get(name);
    known.delete(name);
    if (node === undefined) node = made(described, parent);
    else updated(node, described);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  });
  for (const node of known.values()) node.remove();
}

const nameOf = (described, index) =>
  described.tag === undefined ? `#${index}` : `${described.tag}:${described.key ?? `#${index}`}`;

function made(described, parent) {
  if (described.tag === undefined) {
    const text = document.createTextNode(described.text);
    text.described = described;
    return text;
  }
  const svg = SVG_TAGS.has(described.tag) && (described.tag === "svg" || parent.namespaceURI === SVG);
  const node = svg ? document.createElementNS(SVG, described.tag) : document.createElement(described.tag);
  node.described = { tag: described.tag, key: described.key, props: {}, children: [] };
  updated(node, described);
  described.props.onmade?.(node);
  return node;
}

function updated(node, described) {
  const before = node.described;
  node.described = described;
  if (described.tag === undefined) {
    if (before.text !== described.text) node.data = described.text;
    return;
  }
  for (const name of new Set([...Object.keys(before.props), ...Object.keys(described.props)])) {
    set(node, name, before.props[name], described.props[name]);
  }
  render(node, described.children);
  if (described.tag === "select") node.value = described.props.value; // its options are there now
}

function set(node, name, before, now) {
  if (name === "onmade") return;
  if (name.startsWith("on")) {
    // A handler that gives false would take the event's own effect away.
    if (before !== now) node[name] = now ? (event) => void now(event) : null;
  } else if ((name === "value" && node.tagName !== "OPTION") || name === "checked") {
    // What somebody typed is on the element alone.
    if (node[name] !== now) node[name] = now ?? "";
  } else if (before !== now) {
    if ((now ?? false) === false) node.removeAttribute(name);
    else node.setAttribute(name, now === true ? "" : String(now));
  }
}
