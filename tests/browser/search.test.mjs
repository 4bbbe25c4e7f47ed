// The search box: it completes what is typed, and the keyboard is enough.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visit, WIDE } from "./browser.mjs";
import { demo, produce, times, until } from "./server.mjs";

let browser, server;
before(async () => {
  [browser, server] = [await launch(), await demo(0)];
  await produce(server, [...times(5, "Rust"), ...times(9, "RustConf"), ...times(2, "Rustlings"), ...times(1, "東京タワー")]);
  await produce(server, [{ text: "rusty nails" }, { text: "rusty" }]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

const options = (page) => page.locator("[role=option] bdi").allTextContents();
const chosen = (page) => new URL(page.url()).searchParams.getAll("term");

test("arrows choose, Enter takes, Escape closes", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  const box = page.getByRole("combobox", { name: "Find a term" });
  await box.focus();
  await page.keyboard.type("rus");
  await until("completions", async () => (await options(page)).length === 4);
  // The commonest first.
  assert.deepEqual(await options(page), ["#RustConf", "#Rust", "#Rustlings", "rusty"]);
  assert.equal(await box.getAttribute("aria-expanded"), "true");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const active = await box.getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`#${active}`).getAttribute("aria-selected"), "true");
  assert.equal(await page.locator(`#${active} bdi`).textContent(), "#Rust");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.locator("[role=option][aria-selected=true] bdi").textContent(), "rusty");
  await page.keyboard.press("Enter");
  assert.deepEqual(chosen(page), ["words:rusty"]);
  assert.equal(await box.inputValue(), "");
  await page.keyboard.type("rust");
  await until("an exact match before all", async () => (await options(page))[0] === "#Rust");
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#found").isHidden());
  assert.equal(await box.getAttribute("aria-expanded"), "false");
  await page.keyboard.press("Escape");
  assert.equal(await box.inputValue(), "");
  await page.finish();
});

test("a sign tells which count is meant, any script is completed, a click takes", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await page.fill("#search", "#rust");
  await until("hashtags only", async () => (await options(page)).length === 3);
  await page.fill("#search", "東");
  await until("another script", async () => (await options(page)).join() === "#東京タワー");
  await page.locator("[role=option]").click();
  assert.deepEqual(chosen(page), ["hashtags:東京タワー"]);
  await page.finish();
});

test("what was never seen is offered for each ranking that could hold it", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await page.fill("#search", "Unheard");
  await page.keyboard.press("Enter");
  await until("a question", async () => /Which one is meant/.test(await page.textContent("#hint")));
  assert.deepEqual(await options(page), ["#unheard", "unheard"]);
  assert.deepEqual(chosen(page), [], "none is taken for the other");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  assert.deepEqual(chosen(page), ["words:unheard"]);
  await page.finish();
});

test("what was never seen can be watched, and what is no term is refused", async () => {
  const page = await visit(browser, server.url + "/?window=1h", WIDE);
  await page.fill("#search", "#NeverSeen");
  await until("no completion", async () => /No term begins so/.test(await page.textContent("#hint")));
  await page.keyboard.press("Enter");
  await until("its course", () => chosen(page).join() === "hashtags:neverseen");
  await until("a count of nothing", async () => (await page.textContent("#legend b")) === "0");
  await page.fill("#search", "#");
  await page.keyboard.press("Enter");
  await until("a refusal", async () => (await page.textContent("#said")) === "That is no term.");
  assert.equal(await page.locator("#hint:visible").textContent(), "That is no term.");
  // A hashtag is one word, whatever the server would answer.
  await page.fill("#search", "#two words");
  await until("no completion", async () => (await page.textContent("#hint")) === "No term begins so.");
  assert.deepEqual(chosen(page), ["hashtags:neverseen"]);
  // The refusal is an answer with status 400, which the browser's console names.
  page.removeAllListeners("console");
  await page.context().close();
});
