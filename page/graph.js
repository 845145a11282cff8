// Facts as a graph: the same facts give the same picture, since nothing in it is drawn at random.

import { h } from "./dom.js";

const WIDTH = 640;
const HEIGHT = 400;

export function graph(facts, onpick) {
  const nodes = new Map();
  const edges = facts.map((fact) => ({ from: node(nodes, fact.subject, fact), to: node(nodes, fact.object_value, fact), fact }));
  settle([...nodes.values()], edges);
  return h(
    "svg",
    { class: "graph", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group" },
    edges.map(({ from, to, fact }) =>
      h("g", { key: fact.id }, h("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y }), h("text", { class: "edge", x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - 4 }, short(fact.predicate))),
    ),
    [...nodes.values()].map((one) =>
      h(
        "g",
        { key: `n-${one.name}`, class: "node", role: "button", tabindex: 0, "aria-label": one.name, onclick: () => onpick(one.fact), onkeydown: (event) => event.key === "Enter" && onpick(one.fact) },
        h("circle", { cx: one.x, cy: one.y, r: one.subject ? 9 : 6 }),
        h("text", { x: one.x, y: one.y + 22 }, short(one.name)),
      ),
    ),
  );
}

const short = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);

function node(nodes, name, fact) {
  if (!nodes.has(name)) {
    const angle = nodes.size * 2.399963; // the golden angle spreads any number of points
    const radius = 18 * Math.sqrt(nodes.size + 1);
    nodes.set(name, { name, fact, subject: false, x: WIDTH / 2 + radius * Math.cos(angle), y: HEIGHT / 2 + radius * Math.sin(angle) });
  }
  const one = nodes.get(name);
  one.subject ||= fact.subject === name;
  return one;
}

/** Push all nodes apart and pull neighbours together until it is quiet (Fruchterman and Reingold, 1991). */
function settle(nodes, edges) {
  const ideal = Math.sqrt((WIDTH * HEIGHT) / Math.max(nodes.length, 1)) * 0.7;
  for (let heat = WIDTH / 8; heat > 0.5; heat *= 0.93) {
    for (const one of nodes) one.dx = one.dy = 0;
    for (let i = 0; i < nodes.length; i++) {
      for (let j = i + 1; j < nodes.length; j++) {
        const [dx, dy] = [nodes[i].x - nodes[j].x, nodes[i].y - nodes[j].y];
        const force = ideal ** 2 / Math.max(dx * dx + dy * dy, 0.01);
        push(nodes[i], dx * force, dy * force);
        push(nodes[j], -dx * force, -dy * force);
      }
    }
    for (const { from, to } of edges) {
      const [dx, dy] = [from.x - to.x, from.y - to.y];
      const force = Math.hypot(dx, dy) / ideal;
      push(from, -dx * force, -dy * force);
      push(to, dx * force, dy * force);
    }
    for (const one of nodes) {
      const size = Math.hypot(one.dx, one.dy) || 1;
      one.x = Math.min(WIDTH - 60, Math.max(60, one.x + (one.dx / size) * Math.min(size, heat)));
      one.y = Math.min(HEIGHT - 34, Math.max(20, one.y + (one.dy / size) * Math.min(size, heat)));
    }
  }
}

function push(one, dx, dy) {
  one.dx += dx;
  one.dy += dy;
}
