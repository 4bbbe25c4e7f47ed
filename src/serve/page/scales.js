// Where an axis has its marks: at round numbers and round times, no closer than can be read.

import { DAY, HOUR, MINUTE, SECOND } from "./format.js";

// Spans of time that people find round.
export const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * DAY),
];

// Round times in [from, to], no more than about `most`. `offset` is that of the time zone in milliseconds: days and hours
// begin where the reader's do.
export function timeMarks(from, to, most, offset = 0) {
  const step = STEPS.find((step) => (to - from) / step <= most) ?? STEPS.at(-1);
  const marks = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) marks.push(at);
  return { step, marks };
}

// Whole round numbers from 0 to one that is not below `highest`, in about `most` steps.
export function countMarks(highest, most) {
  const rough = Math.max(1, highest / most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough && Number.isInteger(step));
  const marks = [];
  for (let at = 0; at < highest + step; at += step) marks.push(at);
  if (marks.length < 2) marks.push(step);
  return marks;
}
