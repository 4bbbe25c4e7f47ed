// The page: what the address says is shown, fed by one stream of events for all rankings. Everything else is asked for
// when it is needed.

import { absence } from "./absence.js";
import { ask } from "./access.js";
import { MOST, onChange, read, same, toggle } from "./address.js";
import { controls, windowsOf } from "./controls.js";
import { course } from "./course.js";
import { find, say } from "./dom.js";
import { place } from "./flip.js";
import { moment, sign } from "./format.js";
import { notice, reasons, remark, stampNotices } from "./notices.js";
import { ranking } from "./ranking.js";
import { search } from "./search.js";
import { follow } from "./stream.js";
import { vitals } from "./vitals.js";

const PLACES = 15;
// Numbers that change more often than this cannot be read.
const SHORTEST_FRAME = 400;
// After this long out of sight a page stops to listen: browsers have few connections to one server.
const OUT_OF_SIGHT = 20_000;
const OLD = 10_000;

// What is counted; a server that cannot be asked yet is asked again.
async function askCounts() {
  for (;;) {
    try {
      const counts = await ask("/v1/counts");
      notice("connection", "error", null);
      return counts;
    } catch (error) {
      notice("connection", "error", "The server does not answer: " + error.message + ".");
      await new Promise((resume) => setTimeout(resume, 2000));
    }
  }
}

function page(counts) {
  const header = vitals(onStatus, reasons);
  const courses = course(counts);
  const rankings = new Map(counts.map((count) => [count.name, ranking(count, (term) => choose(count, term))]));
  const bar = controls(counts, pause);
  let shown = null;
  let stream = null;
  let path = null;
  let answers = {};
  let stamp = null;
  let status = null;
  let paused = false;
  let frame = null;
  let drawn = null;
  let trouble = null;

  // What the address asks for, as far as there is such a thing here.
  function resolve({ window, counts: named, terms, odd, more, chart }) {
    const known = windowsOf(counts).map(({ name }) => name);
    const there = known.includes(window);
    const other = window !== null && !there;
    notice("window", "note", other ? `There is no window ${window} here; this is ${known[0]}.` : null);
    const chosen = counts.filter(({ name }) => named?.includes(name));
    const missing = (named ?? []).filter((name) => !rankings.has(name));
    const instead = chosen.length > 0 ? "." : "; this is all that there is.";
    notice("counts", "note", missing.length > 0 ? `There is no ranking ${missing.join(", ")} here` + instead : null);
    const foreign = terms.filter(({ count }) => !rankings.has(count)).map(({ count, term }) => count + ":" + term);
    const names = [...odd, ...foreign].join(", ");
    notice("terms", "note", names !== "" ? `Not shown, since it names no term of a ranking here: ${names}.` : null);
    const rest = `${MOST} terms are compared at most; the address names ${more} more.`;
    notice("more", "note", more > 0 ? rest : null);
    return {
      window: there ? window : known[0],
      counts: chosen.length > 0 ? chosen : counts,
      terms: terms.filter(({ count }) => rankings.has(count)),
      chart,
    };
  }

  function choose(count, term) {
    const chosen = { count: count.name, term };
    if (!toggle(chosen)) return remark("full", `${MOST} terms are compared at most; remove one first.`);
    const { terms } = read();
    const text = sign(count.of) + term;
    say(terms.some((other) => same(other, chosen)) ? `Course of ${text} is shown` : `Course of ${text} is removed`);
  }

  function draw() {
    frame = null;
    // A pause holds what is shown, not what was chosen since.
    if (stamp === null || (paused && drawn === path)) return;
    drawn = path;
    for (const count of shown.counts) {
      const answer = answers[count.name];
      const absent = () => absence(count, shown.window, stamp.from, status);
      if (answer) rankings.get(count.name).show(answer, shown.window, stamp.epoch, absent);
    }
    document.body.dataset.filled = "true";
  }

  function soon() {
    frame ??= setTimeout(draw, SHORTEST_FRAME);
  }

  // Where a ranking is empty, the status tells why.
  function onStatus(now) {
    status = now;
    if (Object.values(answers).some(({ top }) => top.length === 0)) soon();
  }

  function onEvent(type, data) {
    if (stamp !== null && stamp.generation !== data.stamp.generation) changed();
    const first = stamp === null;
    stamp = data.stamp;
    link();
    header.stamp(stamp);
    stampNotices(stamp);
    if (type === "snapshot") answers = data.counts;
    else if (type === "diff") Object.assign(answers, data.counts);
    else return;
    if (first) draw();
    else soon();
  }

  // Another run of the server may count something else.
  async function changed() {
    const now = await ask("/v1/counts").catch(() => counts);
    if (JSON.stringify(now) !== JSON.stringify(counts)) location.reload();
  }

  // Whether what is shown is of now: the style dims what is not. Where nothing is asked for, there is nothing to wait for.
  function link() {
    const waiting = stamp === null && path !== null;
    document.body.dataset.link = trouble !== null ? "lost" : waiting ? "waiting" : "live";
  }

  function onLink(now) {
    trouble = now;
    header.lost(trouble !== null);
    // What the server said of itself is not known any more; where it can still be asked, its status says it again.
    if (trouble !== null) reasons([]);
    link();
    const since = stamp === null ? "" : ` The numbers are those of ${moment(Date.parse(stamp.as_of))}.`;
    const text = trouble && `Connection lost: ${trouble.error.message}.${since} Trying again.`;
    notice("connection", "error", text, { text: "Try now", run: () => stream?.retry() });
  }

  function listen() {
    const having = shown.counts.filter(({ windows }) => windows.some(({ name }) => name === shown.window));
    const query = { counts: having.map(({ name }) => name).join(","), window: shown.window, k: PLACES };
    const next = having.length === 0 ? null : "/v1/events?" + new URLSearchParams(query);
    if (next === path) return;
    stream?.stop();
    [path, stream, answers, stamp] = [next, null, {}, null];
    if (next !== null) stream = follow(next, onEvent, onLink);
    else {
      // What was lost is not wanted any more.
      onLink(null);
      header.idle();
      drawn = null;
    }
    link();
  }

  function apply(state) {
    shown = resolve(state);
    bar.apply(shown.window, shown.counts);
    place(find("rankings"), shown.counts.map(({ name }) => rankings.get(name).element));
    for (const { name, windows } of shown.counts) {
      if (windows.some((window) => window.name === shown.window)) continue;
      const others = windows.map((window) => window.name).join(", ");
      rankings.get(name).without(`${name} are not counted over ${shown.window}, but over ${others}.`);
    }
    courses.apply(shown);
    for (const { name } of counts) rankings.get(name).choose(courses.slots(name));
    listen();
  }

  function pause(yes) {
    paused = yes;
    notice("paused", "note", yes ? "Paused: the rankings stand still." : null);
    courses.rest(yes);
    draw();
  }

  // Out of sight nothing is asked for.
  let sleep = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(sleep);
    const rest = () => {
      stream?.stop();
      path = null;
      header.rest(true);
      courses.rest(true);
    };
    if (document.hidden) sleep = setTimeout(rest, OUT_OF_SIGHT);
    else {
      header.rest(false);
      courses.rest(paused);
      listen();
    }
  });
  addEventListener("online", () => stream?.retry());

  setInterval(() => {
    const old = document.body.dataset.link !== "lost" && !document.hidden && (header.age() ?? 0) > OLD;
    notice("old", "warning", old ? "No new results for more than 10 s; the numbers may be old." : null);
  }, 1000);

  const scope = () => ({
    counts: shown.counts,
    window: shown.window,
    ranked: ({ name }) => (answers[name]?.top ?? []).map(({ term, display, count }) => {
      const { of } = counts.find((count) => count.name === name);
      return { term, text: sign(of) + display, number: count };
    }),
  });
  search(scope, ({ count, term }) => {
    if (!read().terms.some((other) => same(other, { count: count.name, term }))) choose(count, term);
  });
  onChange(apply);
  apply(read());
}

page(await askCounts());
