// What is shown lives in the address: window, rankings, terms, kind of chart. So going back works, and whoever gets the
// link sees the same. Nothing else remembers it.

// Terms that are compared at once, at most; as many as there are colours.
export const MOST = 5;

const KINDS = ["lines", "bars"];
const listeners = [];

export const same = (one, two) => one.count === two.count && one.term === two.term;

export function read(search = location.search) {
  const query = new URLSearchParams(search);
  const [terms, odd] = [[], []];
  let more = 0;
  for (const text of query.getAll("term")) {
    const end = text.indexOf(":");
    const chosen = { count: text.slice(0, end), term: text.slice(end + 1) };
    if (end < 1 || chosen.term === "") odd.push(text);
    else if (terms.some((other) => same(other, chosen))) continue;
    else if (terms.length === MOST) more += 1;
    else terms.push(chosen);
  }
  return {
    window: query.get("window"),
    counts: query.get("counts")?.split(",").filter(Boolean) ?? null,
    terms,
    // What is no term at all, and how many terms are too many.
    odd,
    more,
    chart: KINDS.find((kind) => kind === query.get("chart")) ?? KINDS[0],
  };
}

export function write({ window, counts, terms, chart }) {
  const query = new URLSearchParams();
  if (window !== null) query.set("window", window);
  if (counts !== null) query.set("counts", counts.join(","));
  for (const { count, term } of terms) query.append("term", count + ":" + term);
  if (chart !== KINDS[0]) query.set("chart", chart);
  // These two need no escape in a query, and are easier to read without.
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text === "" ? "/" : "/?" + text;
}

// Changes a part of what is shown, as a step that going back undoes.
export function go(part) {
  const next = write({ ...read(), ...part });
  if (next === location.pathname + location.search) return;
  history.pushState(null, "", next);
  tell();
}

export function onChange(listener) {
  listeners.push(listener);
}

// Chooses a term, or lets go of it; says whether there was room.
export function toggle(chosen) {
  const { terms } = read();
  const others = terms.filter((other) => !same(other, chosen));
  if (others.length === terms.length) {
    if (terms.length === MOST) return false;
    others.push(chosen);
  }
  go({ terms: others });
  return true;
}

function tell() {
  const state = read();
  for (const listener of listeners) listener(state);
}

addEventListener("popstate", tell);
