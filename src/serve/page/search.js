// The search box: a combobox that completes what is typed. All of it works by keyboard: arrows choose, Enter takes, Escape
// closes.

import { find, make, mark, say, write } from "./dom.js";
import { whole } from "./format.js";
import { exactly, suggest } from "./suggest.js";

const REST = 120;

// `scope()` tells counts, window and rankings; `onTake` gets an option.
export function search(scope, onTake) {
  const [input, panel, list, hint] = [find("search"), find("found"), find("suggestions"), find("hint")];
  let options = [];
  let active = -1;
  let timer = null;
  let asked = null;

  function close() {
    clearTimeout(timer);
    asked?.abort();
    [options, active, panel.hidden] = [[], -1, true];
    list.replaceChildren();
    mark(input, "aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function activate(at) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = at;
    const option = list.children[active];
    if (option === undefined) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function item(option, at) {
    const term = make("bdi", { title: option.text }, option.text);
    const from = make("span", { class: "from" }, option.count.name);
    const attributes = { id: "option-" + at, role: "option", "aria-selected": "false" };
    return make("li", attributes, term, from, make("b", {}, whole(option.number)));
  }

  // Shows what can be chosen, and says something beside it.
  function show(found, text, said = text) {
    [options, active] = [found, -1];
    list.replaceChildren(...options.map(item));
    list.hidden = options.length === 0;
    write(hint, text);
    hint.hidden = text === "";
    panel.hidden = false;
    mark(input, "aria-expanded", String(options.length > 0));
    input.removeAttribute("aria-activedescendant");
    say(said);
  }

  async function complete() {
    const text = input.value.trim();
    if (text === "") return close();
    asked?.abort();
    const own = new AbortController();
    asked = own;
    const { counts, window, ranked } = scope();
    try {
      const { options, more } = await suggest(text, counts, window, ranked, own.signal);
      const known = options.length > 0;
      const found = known ? options : await exactly(text, counts, window, own.signal);
      if (own.signal.aborted) return;
      if (known) show(found, more ? "There are more: type on." : "", `${found.length} terms`);
      else show(found, "No term begins so." + (found.length > 0 ? " Choose one to wait for it." : ""));
    } catch (error) {
      if (!own.signal.aborted) show([], "The server does not complete this: " + error.message);
    }
  }

  async function take(option) {
    const text = input.value.trim();
    if (option === undefined && text === "") return;
    close();
    const { counts, window } = scope();
    try {
      const found = option === undefined ? await exactly(text, counts, window) : [option];
      if (found.length === 0) return show([], "That is no term.");
      // What is nowhere yet may come in any of them.
      const open = found.length > 1 && found[0].number === 0;
      if (open) return show(found, "None of these is there yet. Which one is meant?");
      input.value = "";
      onTake(found[0]);
    } catch (error) {
      show([], "The server does not answer: " + error.message);
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(complete, REST);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    // The keys that choose within a script's own input are not for this.
    if (event.isComposing) return;
    const n = options.length;
    if (event.key === "ArrowDown" && panel.hidden) complete();
    else if (event.key === "ArrowDown" && n > 0) activate((active + 1) % n);
    else if (event.key === "ArrowUp" && n > 0) activate((active + n - (active < 0 ? 0 : 1)) % n);
    else if (event.key === "Enter") take(options[active]);
    else if (event.key === "Escape" && panel.hidden) input.value = "";
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  // Before the box loses the focus, which would close the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const at = [...list.children].indexOf(event.target.closest("li"));
    if (at >= 0) take(options[at]);
  });
  // What was typed before this script was there.
  if (input.value.trim() !== "") complete();
}
