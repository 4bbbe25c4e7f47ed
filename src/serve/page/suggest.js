// Terms that begin as what was typed: those of the rankings that are shown, since these are the likely ones, and the first
// of all in the order of their keys, as the server lists them.

import { ask } from "./access.js";
import { sign } from "./format.js";

const ASKED = 100;
const SHOWN = 10;

// What terms look like: the server takes any text for one that it has not seen yet.
const WORD = /^\S+$/u;
const SHAPES = { phrases: /\S\s+\S/u, domains: /^\S+\.\S+$/u, emoji: /^[^\p{L}\s]+$/u };

// The counts that are meant: a sign at the beginning tells which.
export function meant(text, counts) {
  const signed = counts.filter(({ of }) => sign(of) !== "" && text.startsWith(sign(of)));
  return signed.length > 0 ? signed : counts;
}

const path = (count, rest, query) =>
  `/v1/counts/${encodeURIComponent(count.name)}/terms${rest}?${new URLSearchParams(query)}`;

const windowOf = (count, window) => (count.windows.find(({ name }) => name === window) ?? count.windows[0]).name;

async function beginning(text, count, window, signal) {
  const query = { prefix: text, window: windowOf(count, window), limit: ASKED };
  const { terms, next } = await ask(path(count, "", query), signal);
  const options = terms.map(({ term, display, count: number }) => ({ count, term, number, text: sign(count.of) + display }));
  return { options, more: next !== null };
}

// `ranked` tells what a count's ranking shows. The commonest first, an exact match before all.
export async function suggest(text, counts, window, ranked, signal) {
  const found = await Promise.all(meant(text, counts).map((count) => beginning(text, count, window, signal)));
  const options = found.flatMap((one) => one.options);
  const key = ({ count, term }) => count.name + ":" + term;
  const known = new Set(options.map(key));
  const plain = text.toLowerCase();
  for (const count of meant(text, counts)) {
    for (const { term, text: shown, number } of ranked(count)) {
      const begins = term.startsWith(plain) || shown.toLowerCase().startsWith(plain);
      const option = { count, term, number, text: shown };
      if (begins && !known.has(key(option))) options.push(option);
    }
  }
  const exact = ({ term, text: shown }) => (term === plain || shown.toLowerCase() === plain ? 1 : 0);
  options.sort((one, two) => exact(two) - exact(one) || two.number - one.number);
  const more = found.some((one) => one.more) || options.length > SHOWN;
  return { options: options.slice(0, SHOWN), more };
}

// What was typed as a term, seen or never seen: one of each count that could hold it, the commonest first.
export async function exactly(text, counts, window, signal) {
  const found = meant(text, counts).map(async (count) => {
    const query = { window: windowOf(count, window) };
    const { term, display, count: number } = await ask(path(count, "/" + encodeURIComponent(text), query), signal);
    const holds = number > 0 || (SHAPES[count.of] ?? WORD).test(term);
    return holds ? { count, term, number, text: sign(count.of) + display } : null;
  });
  const all = await Promise.all(found.map((one) => one.catch((error) => {
    // No term of this count; perhaps of another.
    if (error.status === 400) return null;
    throw error;
  })));
  return all.filter(Boolean).sort((one, two) => two.number - one.number);
}
