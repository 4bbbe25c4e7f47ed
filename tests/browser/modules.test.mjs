// The page's modules that need no page: the stream's grammar, the points of a course, the marks of an axis, the moves of
// ranks.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

// Node takes a script for a module where its folder says so.
const folder = mkdtempSync(join(tmpdir(), "tidings-"));
cpSync(new URL("../../src/serve/page", import.meta.url), folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{"type":"module"}');
const load = (name) => import(pathToFileURL(join(folder, name)));
after(() => rmSync(folder, { recursive: true }));

test("a stream means the same wherever it is cut, and whatever ends its lines", async () => {
  const { parser } = await load("events.js");
  const read = (parts) => {
    const events = [];
    const feed = parser((event) => events.push(event));
    parts.forEach(feed);
    return events;
  };
  const lines = [":", "retry: 2000", "", "event: snapshot", "id: 7-1", 'data: {"a":', "data:1}", "", ": still there", "", "id: 7-2", "",
    "data", "", "event: diff", "", "event:progress", "data: x: y", "unknown: 1", "", "data: never ended"];
  const wanted = [
    { type: "snapshot", id: "7-1", data: '{"a":\n1}' },
    { type: "message", id: "7-2", data: "" },
    { type: "progress", id: "7-2", data: "x: y" },
  ];
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = lines.join(end) + end;
    for (let size = 1; size <= text.length; size += 1) {
      const parts = [];
      for (let at = 0; at < text.length; at += size) parts.push(text.slice(at, at + size));
      assert.deepEqual(read(parts), wanted, `${JSON.stringify(end)} in parts of ${size}`);
    }
  }
});

test("points add up to their panes, and there is room for them", async () => {
  const { points } = await load("panes.js");
  const start = Date.UTC(2026, 10, 22, 17, 0, 7);
  for (const slide of [1000, 5000, 60_000, 7000, 86_400_000]) {
    for (const n of [1, 2, 59, 60, 1440, 10_000]) {
      const first = Math.floor(start / slide) * slide;
      const panes = Array.from({ length: n }, (_, at) => ({ from: new Date(first + at * slide).toISOString(), count: at % 7 }));
      const clock = first + (n - 0.5) * slide;
      for (const most of [12, 60, 300]) {
        const found = points(panes, slide, clock, most);
        const sum = (of) => of.reduce((total, { count }) => total + count, 0);
        const about = `${n} panes of ${slide}, room for ${most}`;
        assert.equal(sum(found), sum(panes), about);
        // One more, where the first and the last are cut.
        assert.ok(found.length <= most + 1, `${about}: ${found.length}`);
        assert.ok(found.every(({ from }, at) => at === 0 || from === found[at - 1].to), about);
        assert.ok(!found.at(-1).whole && found.slice(1, -1).every(({ whole }) => whole), about);
      }
    }
  }
  assert.deepEqual(points([], 1000, 0, 10), []);
});

test("marks are round, ascend, and cover what is shown", async () => {
  const { countMarks, timeMarks } = await load("scales.js");
  for (let highest = 1; highest < 5_000_000; highest = Math.ceil(highest * 1.37)) {
    for (const most of [2, 3, 5, 8]) {
      const marks = countMarks(highest, most);
      const [step] = [marks[1] - marks[0]];
      assert.ok(marks[0] === 0 && marks.at(-1) >= highest && marks.at(-2) < highest, `${highest} in ${most}: ${marks}`);
      assert.ok(Number.isInteger(step) && /^[125]0*$/.test(String(step)), String(step));
      assert.ok(marks.length <= most + 2 && marks.every((mark, at) => mark === at * step), marks.join());
    }
  }
  const from = Date.UTC(2026, 10, 22, 17, 0, 7);
  for (const span of [30_000, 60_000, 3_600_000, 86_400_000, 400 * 86_400_000]) {
    const { step, marks } = timeMarks(from, from + span, 8, 5.5 * 3_600_000);
    assert.ok(marks.length >= 1 && marks.length <= 9, `${span}: ${marks.length}`);
    assert.ok(marks.every((mark) => mark >= from && mark <= from + span && (mark + 5.5 * 3_600_000) % step === 0));
  }
});

test("a move is against a minute ago, and another ranking begins anew", async () => {
  const { moves } = await load("moves.js");
  const memory = moves();
  const top = (...terms) => terms.map((term, at) => ({ term, rank: at + 1 }));
  memory.note("1m", 0, top("a", "b", "c"));
  assert.deepEqual([memory.won("a", 1), memory.won("c", 3)], [0, 0]);
  memory.note("1m", 5000, top("c", "a", "d"));
  assert.deepEqual([memory.won("c", 1), memory.won("a", 2), memory.won("d", 3)], [2, -1, null]);
  for (let at = 10_000; at <= 66_000; at += 1000) memory.note("1m", at, top("c", "a", "d"));
  assert.deepEqual([memory.won("c", 1), memory.won("d", 3)], [0, 0]);
  memory.note("5m", 67_000, top("d"));
  assert.equal(memory.won("d", 1), 0);
});

test("numbers and times are short", async () => {
  const { age, moment, short, span } = await load("format.js");
  assert.deepEqual([0, 999, 9999, 10_000, 1_234_567].map(short), ["0", "999", "9,999", "10K", "1.2M"]);
  assert.deepEqual([0, 999, 1000, 65_000, 3_600_000, 90_000_000].map(span), ["0 ms", "999 ms", "1 s", "1 min 5 s", "1 h", "1 d 1 h"]);
  assert.deepEqual([0, 1400, 3000].map(age), ["now", "now", "3 s ago"]);
  const noon = (year, day) => Date.UTC(year, 9, day, 12);
  const days = [noon(2026, 10), noon(2026, 9), noon(2018, 10)].map((at) => moment(at, noon(2026, 10)).slice(0, -8));
  assert.deepEqual(days, ["", "9 Oct, ", "10 Oct 2018, "]);
});
