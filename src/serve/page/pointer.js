// The values of a moment: where the pointer is, or where the arrow keys have moved the cursor. To whoever listens the chart
// is a slider whose value is read out.

import { draw, make, mark } from "./dom.js";
import { moment, whole } from "./format.js";

// The chart is `container`; `svg` its picture.
export function pointer(container, svg) {
  const box = make("div", { class: "readout", hidden: true });
  container.append(box);
  let frame = null;
  let series = [];
  let stops = [];
  let at = null;

  const covers = (time) => ({ from, to }) => from <= time && time < to;

  function hide() {
    at = null;
    box.hidden = true;
    svg.querySelector(".cursor")?.replaceChildren();
  }

  function values(time) {
    return series.map(({ name, slot, points }) => ({ name, slot, point: points.find(covers(time)) }));
  }

  function heading({ from, to, whole }) {
    return `${moment(from)} to ${moment(to)}${whole ? "" : ", not whole"}`;
  }

  function show() {
    const stop = stops[at];
    const middle = (stop.from + stop.to) / 2;
    const found = values(middle);
    const text = found.map(({ name, point }) => `${name}: ${point ? whole(point.count) : "none"}`);
    mark(container, "aria-valuenow", String(at));
    mark(container, "aria-valuetext", heading(stop) + "; " + text.join(", "));
    const rows = found.map(({ name, slot, point }) =>
      make("li", { "data-slot": slot }, make("bdi", {}, name), make("b", {}, point ? whole(point.count) : "–")));
    box.replaceChildren(make("p", {}, heading(stop)), make("ul", {}, ...rows));
    box.hidden = false;
    const x = frame.x(middle);
    const line = draw("line", { x1: x, x2: x, y1: frame.top, y2: frame.bottom });
    const dots = found.filter(({ point }) => point).map(({ slot, point }) =>
      draw("circle", { "data-slot": slot, cx: frame.x((point.from + point.to) / 2), cy: frame.y(point.count), r: 3.5 }));
    svg.querySelector(".cursor").replaceChildren(line, ...dots);
    const left = x + 14 + box.offsetWidth > container.clientWidth ? x - 14 - box.offsetWidth : x + 14;
    box.style.left = Math.max(0, left) + "px";
  }

  function move(to) {
    if (frame === null || stops.length === 0) return;
    at = Math.min(stops.length - 1, Math.max(0, to));
    show();
  }

  container.addEventListener("pointermove", (event) => {
    if (frame === null) return;
    const x = event.clientX - container.getBoundingClientRect().left;
    const near = stops.findIndex(({ to }) => frame.x(to) > x);
    move(near < 0 ? stops.length - 1 : near);
  });
  container.addEventListener("pointerleave", hide);
  container.addEventListener("blur", hide);
  container.addEventListener("focus", () => container.matches(":focus-visible") && move(at ?? stops.length - 1));
  container.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    const edge = { Home: 0, End: stops.length - 1 }[event.key];
    if (step === undefined && edge === undefined) return;
    event.preventDefault();
    move(edge ?? (at ?? stops.length - 1) + step);
  });

  return {
    // What has been drawn; the cursor stays at its moment.
    update(drawn, of) {
      const time = at === null ? null : (stops[at].from + stops[at].to) / 2;
      [frame, series] = [drawn, of];
      const finest = series.toSorted((one, two) => two.points.length - one.points.length);
      stops = finest[0]?.points ?? [];
      mark(container, "aria-valuemax", String(Math.max(0, stops.length - 1)));
      if (time === null || stops.length === 0) return hide();
      const kept = stops.findIndex(covers(time));
      move(kept < 0 ? 0 : kept);
    },
  };
}
