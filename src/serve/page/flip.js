// Puts the rows of a list into another order so that each glides from where it was to where it is. The row that has the
// focus stays in the document, since whatever is taken out of it loses the focus; where it goes, the row in its place gets it.

const GLIDE = { duration: 450, easing: "cubic-bezier(0.2, 0, 0, 1)" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

export const moving = () => !still.matches;

// Makes `wanted` the children of `list`, in this order.
export function arrange(list, wanted) {
  const present = [...list.children];
  if (present.length === wanted.length && present.every((row, at) => row === wanted[at])) return;
  const before = new Map();
  if (moving()) for (const row of present) before.set(row, row.getBoundingClientRect().top);
  place(list, wanted);
  if (!moving()) return;
  for (const row of wanted) {
    const top = before.get(row);
    if (top === undefined) {
      row.animate([{ opacity: 0 }, { opacity: 1 }], GLIDE);
      continue;
    }
    // Where it would be without what still moves it.
    row.getAnimations().forEach((animation) => animation.id === "glide" && animation.cancel());
    const way = top - row.getBoundingClientRect().top;
    if (Math.abs(way) < 1) continue;
    row.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { ...GLIDE, id: "glide" });
  }
}

// The same without a glide.
export function place(list, wanted) {
  const staying = new Set(wanted);
  const has = (row) => row.contains(document.activeElement);
  const left = [...list.children].findIndex((row) => !staying.has(row) && has(row));
  for (const row of [...list.children]) if (!staying.has(row)) row.remove();
  order(list, wanted);
  if (left >= 0) wanted[Math.min(left, wanted.length - 1)]?.querySelector("button")?.focus({ preventScroll: true });
}

function order(list, wanted) {
  const fixed = wanted.findIndex((row) => row.contains(document.activeElement));
  if (fixed >= 0) {
    for (const row of wanted.slice(0, fixed)) list.insertBefore(row, wanted[fixed]);
    list.append(...wanted.slice(fixed + 1));
    return;
  }
  wanted.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
}
