// How far a term has moved: its place now against its place up to a minute ago, as far as this page has seen it.

const SPAN = 60_000;
const STEP = 5_000;

export function moves() {
  // The oldest first; the first is what the present is compared with.
  let seen = [];
  let key = null;

  return {
    // Takes note of a ranking. `at` is the engine's own time; another `of` is another ranking.
    note(of, at, top) {
      if (of !== key || at < (seen.at(-1)?.at ?? at)) seen = [];
      key = of;
      if (seen.length > 0 && at - seen.at(-1).at < STEP) return;
      seen.push({ at, places: new Map(top.map(({ term, rank }) => [term, rank])) });
      while (seen.length > 1 && at - seen[0].at > SPAN) seen.shift();
    },
    // Places won since then, negative where lost; `null`: it was not among the first.
    won(term, rank) {
      if (seen.length === 0) return 0;
      const before = seen[0].places.get(term);
      return before === undefined ? null : before - rank;
    },
  };
}
