// What can be chosen: the window, the rankings, and a rest from all that moves.

import { go } from "./address.js";
import { find, make } from "./dom.js";
import { span } from "./format.js";

function segment(type, name, value, text, title) {
  const input = make("input", { type, name, value });
  return { input, label: make("label", { title }, input, make("span", {}, text)) };
}

// All windows of all counts by their names, in the order of the configuration.
export function windowsOf(counts) {
  const all = new Map();
  for (const { windows } of counts) for (const window of windows) if (!all.has(window.name)) all.set(window.name, window);
  return [...all.values()];
}

const size = ({ size_ms }) => size_ms ?? Infinity;

export function controls(counts, onPause) {
  // Infinity less itself is no number.
  const bySize = (one, two) => size(one) - size(two) || 0;
  const windows = windowsOf(counts).toSorted(bySize).map(({ name, size_ms, slide_ms }) => {
    const title = size_ms === null ? "Since the start" : `The last ${span(size_ms)}, in steps of ${span(slide_ms)}`;
    const { input, label } = segment("radio", "window", name, name, title);
    input.addEventListener("change", () => go({ window: name }));
    find("windows").append(label);
    return input;
  });
  const shown = counts.map(({ name }) => {
    const { input, label } = segment("checkbox", "count", name, name);
    input.addEventListener("change", () => {
      const chosen = shown.filter(({ checked }) => checked).map(({ value }) => value);
      // A page without any ranking would be of no use.
      if (chosen.length === 0) input.checked = true;
      else go({ counts: chosen.length === counts.length ? null : chosen });
    });
    find("counts").append(label);
    return input;
  });
  find("counts").hidden = counts.length < 2;
  const pause = find("pause");
  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(paused));
    onPause(paused);
  });
  return {
    apply(window, chosen) {
      for (const input of windows) input.checked = input.value === window;
      for (const input of shown) input.checked = chosen.some(({ name }) => name === input.value);
    },
  };
}
