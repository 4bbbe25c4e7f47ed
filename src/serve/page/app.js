"use strict";

// Asks for the first places of every count once a second, and shows them. Terms are other people's text: they enter the
// page as text only, never as markup.

const PERIOD = 1000;
const PLACES = 15;
const state = document.getElementById("state");

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(5000) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.title || response.statusText);
  return answer;
}

function card(count) {
  const title = make("h2", "", count.name);
  const choice = make("select");
  choice.setAttribute("aria-label", "window of " + count.name);
  for (const window of count.windows) choice.append(make("option", "", window.name));
  const head = make("header");
  head.append(title, choice);
  const figures = make("p", "figures");
  const list = make("ol");
  const section = make("section", "count");
  section.append(head, figures, list);
  document.getElementById("counts").append(section);
  const shown = { count, choice, figures, list };
  choice.addEventListener("change", () => show(shown).catch(fail));
  return shown;
}

function place(entry, sign, most) {
  const item = make("li");
  const bar = make("span", "bar");
  bar.style.width = (100 * entry.count) / most + "%";
  item.append(
    bar,
    make("span", "place", entry.rank),
    make("bdi", "", sign + entry.display),
    make("span", "number", entry.count.toLocaleString("en")),
  );
  return item;
}

const SIGNS = { hashtags: "#", mentions: "@", cashtags: "$" };

async function show({ count, choice, figures, list }) {
  const query = new URLSearchParams({ window: choice.value, k: PLACES });
  const answer = await ask("/v1/counts/" + encodeURIComponent(count.name) + "/top?" + query);
  if (answer.stamp.window !== choice.value) return answer.stamp;
  const total = answer.total.toLocaleString("en");
  figures.textContent = total + " in all, " + answer.distinct.toLocaleString("en") + " different";
  const most = Math.max(1, ...answer.top.map((entry) => entry.count));
  list.replaceChildren(...answer.top.map((entry) => place(entry, SIGNS[count.of] || "", most)));
  return answer.stamp;
}

function fail(error) {
  state.textContent = error.message || "the server does not answer";
}

async function main() {
  let cards = null;
  for (;;) {
    if (!document.hidden) {
      try {
        cards ||= (await ask("/v1/counts")).map(card);
        const stamps = await Promise.all(cards.map(show));
        const stamp = stamps[0];
        const clock = stamp.clock ? stamp.clock.replace("T", " ").replace(/\.\d+Z$/, " UTC") : "no posts yet";
        state.textContent = (stamp.catching_up ? "catching up, " : "") + clock;
      } catch (error) {
        fail(error);
      }
    }
    await new Promise((resume) => setTimeout(resume, PERIOD));
  }
}

main();
