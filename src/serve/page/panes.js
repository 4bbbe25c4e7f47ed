// The panes of a course as points that a chart can show: no more of them than there is room for, so neighbours are added
// up where there are many. A point that is not covered whole, as the newest, says so.

import { STEPS } from "./scales.js";

// How long a point is, where there is room for `most` of them.
function length(slide, size, most) {
  const fits = (step) => step % slide === 0 && size / step <= most;
  const round = STEPS.find(fits);
  if (slide * most >= size || round === undefined) {
    return slide * Math.max(1, Math.ceil(size / slide / most));
  }
  return round;
}

// `panes` as the server answers them; `clock` in milliseconds is how far the newest has come.
export function points(panes, slide, clock, most) {
  if (panes.length === 0) return [];
  const first = Date.parse(panes[0].from);
  const step = length(slide, panes.length * slide, most);
  const found = [];
  for (const pane of panes) {
    const at = Date.parse(pane.from);
    const from = Math.floor(at / step) * step;
    if (found.at(-1)?.from !== from) {
      found.push({ from, to: from + step, count: 0, whole: from >= first && from + step <= clock });
    }
    found.at(-1).count += pane.count;
  }
  return found;
}
