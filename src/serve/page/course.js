// The course of the chosen terms over time: asks for each term's panes, and again as time goes on; shows them as a chart
// with a legend.

import { ask } from "./access.js";
import { go, toggle } from "./address.js";
import { drawChart, room } from "./chart.js";
import { draw, find, mark, write } from "./dom.js";
import { sign, span } from "./format.js";
import { legend } from "./legend.js";
import { points } from "./panes.js";
import { pointer } from "./pointer.js";

// Panes are asked for this often, or once a pane where they are longer; seldom where the answer takes its time.
const SHORTEST = 1000;
const LONGEST = 30_000;
const COST = 20;

const key = ({ count, term }) => count + ":" + term;

// The window whose panes are shown where `wanted` has none, as `all`: the longest that has some.
function drawable(count, wanted) {
  const sliding = count.windows.filter((window) => window.size_ms !== null);
  return sliding.find((window) => window.name === wanted) ?? sliding.toSorted((a, b) => b.size_ms - a.size_ms)[0];
}

const isEndless = ({ windows }, name) => windows.some((window) => window.name === name && window.size_ms === null);

export function course(counts) {
  const [panel, container] = [find("course"), find("chart")];
  const svg = draw("svg", { "aria-hidden": "true" });
  container.append(svg);
  const cursor = pointer(container, svg);
  const list = legend(find("legend"), toggle);
  const courses = new Map();
  let state = { terms: [], window: null, chart: "lines" };
  let timer = null;
  let asked = null;
  let resting = false;

  // The lowest colour that is free, so that a term keeps its own while others go.
  function slot() {
    const taken = new Set([...courses.values()].map((one) => one.slot));
    let free = 0;
    while (taken.has(free)) free += 1;
    return free;
  }

  function keep(chosen) {
    const wanted = new Map(chosen.map((one) => [key(one), one]));
    for (const known of courses.keys()) if (!wanted.has(known)) courses.delete(known);
    for (const [name, { count, term }] of wanted) {
      if (courses.has(name)) continue;
      const of = counts.find((one) => one.name === count);
      const one = { key: name, of, count, term, slot: slot(), name: sign(of.of) + term, named: false };
      courses.set(name, { ...one, panes: null, window: null, total: null, trouble: null, refused: false });
    }
  }

  const path = ({ count, term }, rest) =>
    `/v1/counts/${encodeURIComponent(count)}/terms/${encodeURIComponent(term)}${rest}`;

  // The number in the legend is that of the ranking: of the panes where these make up the window, else asked for.
  async function askFor(one, signal) {
    const window = drawable(one.of, state.window);
    const endless = isEndless(one.of, state.window);
    if (window === undefined && !endless) return;
    const query = (name) => "?" + new URLSearchParams({ window: name });
    if (endless || !one.named) {
      const known = await ask(path(one, query(endless ? state.window : window.name)), signal);
      Object.assign(one, { name: sign(one.of.of) + known.display, named: true });
      if (endless) one.total = known.count;
    }
    if (window === undefined) return;
    const { stamp, panes } = await ask(path(one, "/series" + query(window.name)), signal);
    if (panes.length === 0) return;
    const total = endless ? one.total : panes.reduce((sum, pane) => sum + pane.count, 0);
    const covers = { from: Date.parse(stamp.from), to: Date.parse(stamp.to), clock: Date.parse(stamp.clock) };
    Object.assign(one, { panes, window, total, covers });
  }

  async function refresh() {
    clearTimeout(timer);
    asked?.abort();
    const own = new AbortController();
    asked = own;
    // What was refused from the beginning would be refused again.
    const wanted = [...courses.values()].filter(({ refused }) => !refused);
    if (wanted.length === 0) panel.classList.remove("failed");
    const complete = wanted.every(({ panes }) => panes !== null);
    if (wanted.length === 0 || (resting && complete)) return;
    const begun = performance.now();
    const all = await Promise.allSettled(wanted.map((one) => askFor(one, own.signal)));
    if (own.signal.aborted) return;
    all.forEach(({ reason }, at) => {
      const refused = wanted[at].panes === null && reason?.status >= 400 && reason.status < 500;
      Object.assign(wanted[at], { trouble: reason?.message ?? null, refused });
    });
    show();
    panel.classList.toggle("failed", wanted.some(({ trouble, refused }) => trouble !== null && !refused));
    const slides = [...courses.values()].map(({ window }) => window?.slide_ms ?? SHORTEST);
    const pause = Math.max(SHORTEST, Math.min(...slides), COST * (performance.now() - begun));
    timer = setTimeout(refresh, Math.min(LONGEST, pause));
  }

  // Over which time, and where that is not what was asked for.
  function title(shown) {
    const windows = [...new Set(shown.map(({ window }) => window.name))];
    const none = [...courses.values()].some((one) => drawable(one.of, state.window) === undefined);
    if (none) return "This count has no window with a beginning, so there is no course to show.";
    const troubled = [...courses.values()].find((one) => one.trouble !== null);
    if (shown.length === 0) return troubled ? `There is no course to show: ${troubled.trouble}` : "asking …";
    const refused = [...courses.values()].find((one) => one.refused);
    if (refused) return `${refused.name} cannot be shown: ${refused.trouble}`;
    const slides = [...new Set(shown.map(({ points: [one] }) => span(one.to - one.from)))];
    const [names, steps, wanted] = [windows.join(", "), slides.join(" and ") + " a point", state.window];
    if (windows.includes(wanted)) return `over ${names}, ${steps}`;
    const endless = shown.some(({ of }) => isEndless(of, wanted));
    if (!endless) return `over ${names}, ${steps}; there is no ${wanted} of it`;
    return `over the last ${names} only, ${steps}; the numbers beside the terms are those of ${wanted}`;
  }

  function show() {
    list.show([...courses.values()].map((one) => ({ ...one, from: counts.length > 1 ? one.count : "" })));
    const most = room(container.clientWidth, courses.size, state.chart);
    const ready = [...courses.values()].filter(({ panes }) => panes !== null);
    const shown = ready.map((one) => ({
      ...one,
      points: points(one.panes, one.window.slide_ms, one.covers.clock, most),
    }));
    write(find("course-span"), title(shown));
    if (shown.length === 0 || container.clientWidth === 0) return;
    const from = Math.min(...shown.map(({ covers }) => covers.from));
    const to = Math.max(...shown.map(({ covers }) => covers.to));
    cursor.update(drawChart(container, svg, shown, { from, to }, state.chart), shown);
  }

  new ResizeObserver(() => courses.size > 0 && show()).observe(container);
  for (const input of panel.querySelectorAll("input[name=chart]")) {
    input.addEventListener("change", () => go({ chart: input.value }));
  }
  const close = () => go({ terms: [] });
  find("course-close").addEventListener("click", close);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close());

  return {
    // Shows these terms over this window.
    apply(next) {
      const window = state.window !== next.window;
      state = next;
      keep(next.terms);
      const anew = { panes: null, total: null, trouble: null, refused: false };
      if (window) for (const one of courses.values()) Object.assign(one, anew);
      panel.hidden = courses.size === 0;
      for (const input of panel.querySelectorAll("input[name=chart]")) input.checked = input.value === next.chart;
      mark(container, "aria-valuetext", "");
      show();
      refresh();
    },
    // The colours of the terms of a count.
    slots(count) {
      const own = [...courses.values()].filter((one) => one.count === count);
      return new Map(own.map(({ term, slot }) => [term, slot]));
    },
    // While the page rests, nothing is asked for but what is not there yet.
    rest(yes) {
      resting = yes;
      refresh();
    },
  };
}
