// What is not as it should be, or should be known: each thing has a key, and stands here for as long as it holds. What is
// wrong now, or answers the reader, stays in view wherever the page is scrolled to; what may hold for days does not.

import { find, make } from "./dom.js";
import { place } from "./flip.js";
import { whole } from "./format.js";

// In the order in which they are shown.
const LEVELS = ["error", "warning", "note", "remark"];
// Warnings that may hold for days, and are no news after a moment; as all notes are.
const LASTING = ["catching_up", "gaps", "overflow"];

const REASONS = {
  starting: ["note", "The engine is starting; nothing has been counted yet."],
  restoring: ["note", "The engine is restoring its counts."],
  catching_up: ["warning", "Catching up: older posts are still being read. The counts are exact for those that have been."],
  stalled: ["error", "The engine has completed nothing for a while; the numbers are old."],
  source_unavailable: ["error", "The source is lost: Kafka does not answer. The numbers stand still until it does."],
  draining: ["warning", "The server is being stopped."],
};

const held = new Map();

function show() {
  const all = [...held.values()].sort((one, two) => LEVELS.indexOf(one.level) - LEVELS.indexOf(two.level));
  for (const [id, wanted] of [["notices", false], ["lasting", true]]) {
    place(find(id), all.filter(({ lasting }) => lasting === wanted).map(({ element }) => element));
  }
}

// States or withdraws something; `action` is a button's text and what it does.
export function notice(key, level, text, action) {
  const before = held.get(key);
  if (text === null ? before === undefined : before?.text === text && before.level === level) return;
  if (text === null) held.delete(key);
  else {
    const element = make("p", { "data-level": level, "data-key": key }, make("span", {}, text));
    if (action !== undefined) {
      const button = make("button", { type: "button" }, action.text);
      button.addEventListener("click", action.run);
      element.append(button);
    }
    held.set(key, { level, text, element, lasting: level === "note" || LASTING.includes(key) });
  }
  show();
}

// A notice that goes by itself, and moves nothing when it comes and goes.
export function remark(key, text) {
  notice(key, "remark", text);
  setTimeout(() => notice(key, "remark", null), 6000);
}

// Why the engine is not ready, as it says itself.
export function reasons(given) {
  for (const [reason, [level, text]] of Object.entries(REASONS)) {
    notice(reason, level, given.includes(reason) ? text : null);
  }
  const unknown = given.filter((reason) => !(reason in REASONS));
  notice("unknown", "warning", unknown.length > 0 ? "The engine is not ready: " + unknown.join(", ") + "." : null);
}

// Lost offsets, of which the ends are not part.
function ranges(gaps) {
  const parts = [];
  for (const [topic, partitions] of Object.entries(gaps ?? {})) {
    for (const [partition, lost] of Object.entries(partitions)) {
      const offsets = lost.map(([from, to]) => (to - from === 1 ? whole(from) : whole(from) + "–" + whole(to - 1)));
      parts.push(`${topic} ${partition}, offsets ${offsets.join(", ")}`);
    }
  }
  return parts.join("; ");
}

// What a stamp says beside its numbers.
export function stampNotices(stamp) {
  const gaps = ranges(stamp.gaps);
  notice("gaps", "warning", gaps === "" ? null : "Records were lost before they could be read, and are not counted: " + gaps + ".");
  const full = "There are more terms than engine.max_terms: new ones are left out.";
  notice("overflow", "warning", stamp.overflow ? full : null);
  const rules = "The rules of counting have changed since the oldest of these posts were counted.";
  notice("rules", "note", stamp.rules_changed ? rules : null);
}
