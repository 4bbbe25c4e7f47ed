// One ranking: the first places of a count as bars, which move as the ranks change. A row is a button that opens the
// term's course.

import { go } from "./address.js";
import { make, mark, write } from "./dom.js";
import { arrange } from "./flip.js";
import { sign, whole } from "./format.js";
import { moves } from "./moves.js";

function row(onChoose) {
  const parts = {
    bar: make("span", { class: "bar" }),
    place: make("span", { class: "place" }),
    way: make("span", { "aria-hidden": "true" }),
    said: make("span", { class: "unseen" }),
    term: make("bdi", { class: "term" }),
    number: make("span", { class: "number" }),
  };
  const button = make("button", { type: "button", class: "row", "aria-pressed": "false" });
  const move = make("span", { class: "move" }, parts.way, parts.said);
  button.append(parts.bar, parts.place, move, parts.term, parts.number);
  button.addEventListener("click", onChoose);
  return { item: make("li", {}, button), button, move, ...parts };
}

// What a change of place looks like, and how it is said.
function moved(won) {
  if (won === null) return { text: "new", said: "new", way: "new" };
  if (won > 0) return { text: "▲" + won, said: "up " + won, way: "up" };
  if (won < 0) return { text: "▼" + -won, said: "down " + -won, way: "down" };
  return { text: "", said: "", way: "" };
}

// The section of a count. `onChoose` gets the term that was clicked.
export function ranking(count, onChoose) {
  const title = "count-" + count.name;
  const figures = make("p", { class: "figures" }, "…");
  const list = make("ol", { "aria-label": "First places of " + count.name });
  const why = make("p");
  const instead = make("button", { type: "button" });
  const empty = make("div", { class: "empty", hidden: true }, why, instead);
  const element = make("section", { class: "count", "aria-labelledby": title });
  element.append(make("header", {}, make("h2", { id: title }, count.name), figures), list, empty);
  const rows = new Map();
  const memory = moves();
  let chosen = new Map();

  function tint(term, { button }) {
    const slot = chosen.get(term);
    mark(button, "aria-pressed", String(slot !== undefined));
    if (slot === undefined) delete button.dataset.slot;
    else button.dataset.slot = slot;
  }

  function fill(place, most) {
    const { rank, term, display, count: number } = place;
    if (!rows.has(term)) rows.set(term, row(() => onChoose(term)));
    const parts = rows.get(term);
    const text = sign(count.of) + display;
    const { text: move, said, way } = moved(memory.won(term, rank));
    write(parts.place, String(rank));
    write(parts.way, move);
    write(parts.said, said);
    parts.move.dataset.way = way;
    write(parts.term, text);
    write(parts.number, whole(number));
    parts.bar.style.width = (100 * number) / most + "%";
    mark(parts.button, "title", text);
    tint(term, parts);
    return parts.item;
  }

  // Says why there is nothing to show, and offers another window, if one is given.
  function say(text, other = null) {
    write(why, text);
    write(instead, other === null ? "" : "Show " + other);
    instead.hidden = other === null;
    instead.onclick = () => go({ window: other });
    empty.hidden = text === "";
    list.hidden = text !== "";
  }

  return {
    element,
    // Shows a ranking of a window, as of a time of the engine; `absent` tells why it is empty.
    show({ total, distinct, top }, window, at, absent) {
      memory.note(window, at, top);
      write(figures, `${whole(total)} in all, ${whole(distinct)} different`);
      const most = Math.max(1, ...top.map((place) => place.count));
      arrange(list, top.map((place) => fill(place, most)));
      const there = new Set(top.map((place) => place.term));
      for (const term of rows.keys()) if (!there.has(term)) rows.delete(term);
      if (top.length > 0) return say("");
      const { text, instead } = absent();
      say(text, instead);
    },
    // Says that there is nothing to show, and why.
    without(text) {
      write(figures, "");
      rows.clear();
      list.replaceChildren();
      say(text);
    },
    // Marks the terms whose course is shown, each with the number of its colour.
    choose(slots) {
      chosen = slots;
      for (const [term, parts] of rows) tint(term, parts);
    },
  };
}
