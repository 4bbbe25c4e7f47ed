// The terms whose course is shown: their colours, what they count in all, and a way to let go of each.

import { make, mark, write } from "./dom.js";
import { whole } from "./format.js";

export function legend(list, onRemove) {
  const rows = new Map();

  function row(one) {
    const name = make("bdi", {});
    const number = make("b", {});
    const from = make("span", { class: "from" });
    const remove = make("button", { type: "button" }, "×");
    const item = make("li", {}, make("span", { class: "swatch" }), name, from, number, remove);
    remove.addEventListener("click", () => {
      // Whoever works by keyboard goes on from the neighbour.
      const next = item.nextElementSibling ?? item.previousElementSibling;
      onRemove(one);
      next?.querySelector("button").focus();
    });
    for (const [event, on] of [["pointerenter", true], ["focusin", true], ["pointerleave", false], ["focusout", false]]) {
      item.addEventListener(event, () => {
        const course = list.parentElement;
        if (on) course.dataset.only = item.dataset.slot;
        else delete course.dataset.only;
      });
    }
    return { item, name, number, from, remove };
  }

  return {
    // Each with `key`, `name`, `slot`, `from` (the name of its count, where there are several) and `total`.
    show(courses) {
      const items = courses.map((one) => {
        if (!rows.has(one.key)) rows.set(one.key, row(one));
        const parts = rows.get(one.key);
        parts.item.dataset.slot = one.slot;
        write(parts.name, one.name);
        mark(parts.name, "title", one.name);
        write(parts.from, one.from);
        write(parts.number, one.total === null ? "…" : whole(one.total));
        mark(parts.remove, "aria-label", "Remove " + one.name);
        return parts.item;
      });
      const there = new Set(courses.map(({ key }) => key));
      for (const key of rows.keys()) if (!there.has(key)) rows.delete(key);
      if (items.length !== list.children.length || items.some((item, at) => item !== list.children[at])) {
        delete list.parentElement.dataset.only;
        for (const item of [...list.children]) if (!items.includes(item)) item.remove();
        list.append(...items.filter((item) => !item.isConnected));
      }
    },
  };
}
