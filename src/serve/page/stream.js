// Follows one stream of events: connects again when it ends, with growing pauses, and takes one that has fallen silent for
// dead. What was seen last is told to the server, so that it need not say it again.

import { open } from "./access.js";
import { readEvents } from "./events.js";

// The server gives a sign of life every 15 s at least; who misses two of them has lost it.
const SILENCE = 40_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

// `onEvent` gets a type and the parsed data; `onState` gets `null` while all is well, else why not.
export function follow(path, onEvent, onState) {
  let stopped = false;
  let lastId = null;
  let attempt = new AbortController();
  let wake = () => {};

  function take({ type, data, id }) {
    onEvent(type, JSON.parse(data));
    lastId = id;
  }

  // Follows until the stream ends, which is always an error; `onAlive` hears that the server has begun to answer.
  async function once(onAlive) {
    let silence;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(new Error("the server has fallen silent")), SILENCE);
    };
    attempt = new AbortController();
    const headers = { accept: "text/event-stream" };
    if (lastId !== null) headers["last-event-id"] = lastId;
    const response = await open(path, headers, attempt.signal);
    alive();
    onAlive();
    try {
      await readEvents(response.body, alive, (event) => {
        if (!stopped) take(event);
      });
    } finally {
      clearTimeout(silence);
      attempt.abort();
    }
    throw new Error("the server has ended the stream");
  }

  async function run() {
    let pause = FIRST_PAUSE;
    while (!stopped) {
      const error = await once(() => {
        pause = FIRST_PAUSE;
        onState(null);
      }).catch((error) => error);
      if (stopped) return;
      // Not all at the same moment, where many pages have lost the same server.
      const wait = pause * (0.75 + Math.random() / 2);
      onState({ error });
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      await new Promise((resume) => {
        wake = resume;
        setTimeout(resume, wait);
      });
    }
  }

  run();
  return {
    stop() {
      stopped = true;
      attempt.abort();
      wake();
    },
    retry() {
      wake();
    },
  };
}
