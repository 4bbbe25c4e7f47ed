// The header: how fast posts come, how many wait, what time it is for the engine, and how fresh the numbers are.

import { ask } from "./access.js";
import { find, mark, write } from "./dom.js";
import { age, moment, short, span, whole, zone } from "./format.js";

const PERIOD = 2000;
const OVER = 10_000;
const OLD = 5_000;

// `onStatus` gets each status of the server, `onReasons` why it is not ready.
export function vitals(onStatus, onReasons) {
  const fresh = find("fresh");
  // When the newest epoch arrived, by this machine's own steady clock: the two clocks need not agree.
  let arrived = null;
  let epoch = null;
  let lost = false;
  let resting = false;
  let samples = [];

  function tick() {
    if (arrived === null) return;
    const old = performance.now() - arrived;
    write(fresh, age(old));
    mark(fresh, "data-state", lost ? "lost" : old > OLD ? "old" : "live");
  }

  // Posts a second, over the last seconds.
  function rate(at, posts) {
    if (posts < (samples.at(-1)?.posts ?? 0)) samples = [];
    samples.push({ at, posts });
    while (samples.length > 2 && at - samples[0].at > OVER) samples.shift();
    const [first, last] = [samples[0], samples.at(-1)];
    return last.at > first.at ? (1000 * (last.posts - first.posts)) / (last.at - first.at) : null;
  }

  function show(status) {
    const posts = rate(status.stamp.epoch, status.posts);
    if (posts !== null) write(find("rate"), posts < 10 ? posts.toFixed(1).replace(".0", "") : short(Math.round(posts)));
    const lags = status.partitions.map(({ lag }) => lag);
    const lag = lags.reduce((sum, lag) => sum + (lag ?? 0), 0);
    write(find("lag"), lags.includes(null) ? "?" : short(lag));
    mark(find("lag"), "data-state", lag > 10_000 ? "old" : "live");
    const version = `tidings ${status.version} · ${whole(status.posts)} posts counted`;
    write(find("about"), version + ". Every number counts exactly the records that its stamp names.");
  }

  async function poll() {
    if (!resting) {
      await ask("/v1/status").then(
        (status) => {
          show(status);
          onStatus(status);
          onReasons(status.reasons);
        },
        // Of a lost connection the stream tells; a server that has nothing to tell yet says why.
        (error) => error.reasons?.length > 0 && onReasons(error.reasons),
      );
    }
    setTimeout(poll, PERIOD);
  }

  poll();
  setInterval(tick, 500);
  return {
    // Takes note of a stamp.
    stamp(stamp) {
      const { name, offset } = zone();
      write(find("zone"), offset);
      mark(find("times"), "title", "The times on this page are those of " + name);
      if (stamp.epoch !== epoch) [epoch, arrived] = [stamp.epoch, performance.now()];
      const clock = find("clock");
      const time = stamp.clock === null ? null : Date.parse(stamp.clock);
      write(clock, time === null ? "no posts yet" : moment(time));
      mark(clock, "datetime", stamp.clock ?? "");
      const behind = time === null ? 0 : Date.parse(stamp.as_of) - time;
      mark(clock, "title", `${stamp.clock ?? ""}${behind > OLD ? ", behind by " + span(behind) : ""}`);
      tick();
    },
    // How long ago numbers came last; `null` before any.
    age: () => (arrived === null ? null : performance.now() - arrived),
    // Nothing is asked for, so that nothing gets old.
    idle() {
      [arrived, epoch] = [null, null];
      write(fresh, "–");
      mark(fresh, "data-state", "waiting");
      write(find("clock"), "–");
      mark(find("clock"), "datetime", "");
    },
    lost(yes) {
      lost = yes;
      tick();
    },
    rest(yes) {
      resting = yes;
    },
  };
}
