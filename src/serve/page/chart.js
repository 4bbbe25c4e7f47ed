// Draws courses as lines or bars with their axes. A picture is drawn anew as a whole: a few paths and some marks.

import { draw } from "./dom.js";
import { label, short } from "./format.js";
import { countMarks, timeMarks } from "./scales.js";

const TOP = 10;
const BOTTOM = 24;
const RIGHT = 12;
const CHARACTER = 7.5;

// Room on the screen for `n` courses: so many points each, and no more.
export function room(width, n, kind) {
  return Math.max(12, Math.floor((width - 60) / (kind === "bars" ? 3 * n + 2 : 3)));
}

const place = (number) => number.toFixed(1);

function axes(frame, countsAt, times) {
  const { x, y, left, right, bottom } = frame;
  const parts = [];
  for (const count of countsAt) {
    const at = place(y(count));
    parts.push(draw("line", { class: count === 0 ? "axis" : "grid", x1: left, x2: right, y1: at, y2: at }));
    parts.push(draw("text", { class: "count-mark", x: left - 8, y: at, dy: "0.32em" }, short(count)));
  }
  for (const time of times.marks) {
    const at = x(time);
    parts.push(draw("line", { class: "axis", x1: place(at), x2: place(at), y1: bottom, y2: bottom + 4 }));
    const edge = at < left + 24 ? "start" : at > right - 24 ? "end" : "middle";
    parts.push(draw("text", { class: "time-mark", x: place(at), y: bottom + 17, "text-anchor": edge }, label(time, times.step)));
  }
  return parts;
}

function line({ x, y, bottom }, { slot, points }) {
  const middle = ({ from, to, count }) => [place(x((from + to) / 2)), place(y(count))].join(" ");
  const whole = points.filter((point) => point.whole);
  const open = points.at(-1)?.whole ? [] : points.slice(-2);
  const parts = [];
  if (whole.length > 0) {
    const path = "M" + whole.map(middle).join("L");
    const ends = [whole.at(-1), whole[0]].map(({ from, to }) => place(x((from + to) / 2)) + " " + bottom);
    parts.push(draw("path", { class: "area", d: path + "L" + ends.join("L") + "Z" }));
    parts.push(draw("path", { class: "line", d: path }));
  }
  if (open.length > 1) parts.push(draw("path", { class: "line open", d: "M" + open.map(middle).join("L") }));
  return draw("g", { "data-slot": slot }, ...parts);
}

function bars({ x, y, left, right, bottom }, { slot, points }, at, n) {
  const paths = { true: "", false: "" };
  for (const { from, to, count, whole } of points) {
    if (count === 0) continue;
    const [start, end] = [Math.max(left, x(from)), Math.min(right, x(to))];
    const gap = end - start > 4 ? 1 : 0;
    const width = Math.max(0.5, (end - start - gap) / n);
    const height = Math.max(1, bottom - y(count));
    paths[whole] += `M${place(start + at * width)} ${bottom}v${place(-height)}h${place(width)}v${place(height)}z`;
  }
  const parts = [draw("path", { class: "bars", d: paths.true }), draw("path", { class: "bars open", d: paths.false })];
  return draw("g", { "data-slot": slot }, ...parts);
}

// Draws into an element of a known size; returns the frame, which tells where a time and a number are.
export function drawChart(container, svg, series, { from, to }, kind) {
  const { clientWidth: width, clientHeight: height } = container;
  const bottom = height - BOTTOM;
  const highest = Math.max(1, ...series.flatMap(({ points }) => points.map((point) => point.count)));
  const countsAt = countMarks(highest, Math.max(2, Math.floor((bottom - TOP) / 36)));
  const longest = Math.max(...countsAt.map((count) => short(count).length));
  const left = Math.ceil(longest * CHARACTER) + 14;
  const right = width - RIGHT;
  const x = (time) => left + ((time - from) / (to - from)) * (right - left);
  const y = (count) => bottom - (count / countsAt.at(-1)) * (bottom - TOP);
  const frame = { x, y, left, right, top: TOP, bottom };
  const offset = -new Date(to).getTimezoneOffset() * 60_000;
  const times = timeMarks(from, to, Math.max(2, Math.floor((right - left) / 90)), offset);
  const shapes = series.map((one, at) => (kind === "bars" ? bars(frame, one, at, series.length) : line(frame, one)));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...axes(frame, countsAt, times), ...shapes, draw("g", { class: "cursor" }));
  return frame;
}
