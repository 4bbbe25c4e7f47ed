// Why a ranking is empty, and where there may be something to see. Windows end at the clock, so that old posts are in none
// of them but one that has no beginning.

import { moment } from "./format.js";

// `from` is where the window begins, `status` the server's latest or `null`. Returns a text, and the name of a window that
// shows more, if there is one.
export function absence({ name, windows }, window, from, status) {
  const text = `No ${name} in this window.`;
  if (status === null) return { text, instead: null };
  if (status.posts === 0) {
    const topics = [...new Set(status.partitions.map(({ topic }) => topic))];
    const kind = topics.length === 1 ? "topic" : "topics";
    const where = topics.length > 0 ? ` Waiting for posts in the ${kind} ${topics.join(", ")}.` : "";
    return { text: "Nothing has been counted yet." + where, instead: null };
  }
  const times = status.partitions.filter(({ newest }) => newest !== null).map(({ newest }) => Date.parse(newest));
  const newest = Math.max(...times);
  const old = from !== null && times.length > 0 && newest < Date.parse(from);
  const whole = windows.find(({ size_ms }) => size_ms === null);
  const instead = whole === undefined || whole.name === window ? null : whole.name;
  return { text: old ? `${text} The newest post is of ${moment(newest)}.` : text, instead };
}
