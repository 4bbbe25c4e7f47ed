// Rankings: they fill, equal the interface's, follow it by themselves, and can be operated by keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, row, rows, top, visit, WIDE } from "./browser.mjs";
import { demo, produce, times, until } from "./server.mjs";

let browser, server;
before(async () => {
  [browser, server] = [await launch(), await demo(0)];
  await produce(server, [...times(30, "Rust"), ...times(20, "Go"), ...times(10, "Zig"), ...times(1200, "many")]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

// Posts leave the smallest window while a test looks, so that only there may be none left, on both sides.
const equal = async (page, count, window) => {
  const wanted = JSON.stringify(await top(server, count, window));
  return JSON.stringify(await rows(page, count)) === wanted && (wanted !== "[]" || window === "1m");
};

test("both rankings equal the interface's, in every window", async () => {
  const page = await visit(browser, server.url, WIDE);
  const [{ windows }] = await server.ask("/v1/counts");
  for (const { name } of windows.toReversed()) {
    await page.check(`input[name=window][value="${name}"]`);
    assert.equal(new URL(page.url()).searchParams.get("window"), name);
    for (const count of ["hashtags", "words"]) {
      await until(`${count} over ${name}`, () => equal(page, count, name));
    }
  }
  await page.goBack();
  assert.equal(await page.locator("input[name=window]:checked").inputValue(), "5m");
  await page.finish();
});

test("bars move by themselves, and say how far", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await until("a filled ranking", () => equal(page, "hashtags", "all"));
  const before = await rows(page, "hashtags");
  assert.deepEqual(before.map(({ text }) => text).slice(0, 4), ["#many", "#Rust", "#Go", "#Zig"]);
  assert.match(await row(page, "#many").locator(".number").textContent(), /^1,200$/);
  await page.evaluate(() => {
    window.glides = 0;
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (...given) {
      if (given[1].id === "glide") window.glides += 1;
      return animate.apply(this, given);
    };
  });
  await row(page, "#Rust").focus();
  await produce(server, times(40, "Zig"));
  await until("the new order", async () => (await rows(page, "hashtags"))[1].text === "#Zig");
  assert.equal(await row(page, "#Zig").locator(".move [aria-hidden]").textContent(), "▲2");
  assert.equal(await row(page, "#Rust").locator(".move [aria-hidden]").textContent(), "▼1");
  assert.ok((await page.evaluate(() => window.glides)) >= 3, "rows glide to their new places");
  const focused = await page.evaluate(() => document.activeElement.querySelector(".term")?.textContent);
  assert.equal(focused, "#Rust", "the focus stays on its row while rows move");
  await until("the interface's counts", () => equal(page, "hashtags", "all"));
  await page.finish();
});

test("the focus goes on where its row goes away", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await until("a filled ranking", () => equal(page, "hashtags", "all"));
  const focused = await page.evaluate(async () => {
    const { place } = await import(document.querySelector("script[type=module]").src.replace("main.js", "flip.js"));
    const list = document.createElement("ol");
    const rows = ["a", "b", "c", "d"].map((name) => {
      const row = document.createElement("li");
      row.append(Object.assign(document.createElement("button"), { textContent: name }));
      return row;
    });
    document.body.append(list);
    const found = [];
    const shown = (...wanted) => {
      place(list, wanted.map((at) => rows[at]));
      found.push(document.activeElement.textContent);
    };
    shown(0, 1, 2);
    rows[1].firstChild.focus();
    shown(2, 0, 1);
    shown(0, 3, 2);
    shown(0, 3);
    shown(1);
    shown();
    list.remove();
    return found.slice(1, -1);
  });
  assert.deepEqual(focused, ["b", "c", "d", "b"]);
  await page.finish();
});

test("who wants less motion gets none", async () => {
  const page = await visit(browser, server.url + "/?window=all", { ...WIDE, reducedMotion: "reduce" });
  await until("a filled ranking", () => equal(page, "hashtags", "all"));
  await page.evaluate(() => {
    Element.prototype.animate = () => {
      throw new Error("it moves");
    };
  });
  const first = (await rows(page, "hashtags"))[0].text;
  await produce(server, times(1300, "still"));
  await until("the new first", async () => (await rows(page, "hashtags"))[0].text !== first);
  await page.finish();
});

test("a pause holds the rankings, and its end catches up", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await until("a filled ranking", () => equal(page, "hashtags", "all"));
  await page.click("#pause");
  const before = await rows(page, "hashtags");
  await produce(server, times(5000, "paused"));
  await page.waitForTimeout(1500);
  assert.deepEqual(await rows(page, "hashtags"), before);
  await page.click("#pause");
  await until("the newest", () => equal(page, "hashtags", "all"));
  await page.finish();
});

test("rankings can be left out, and the header tells of the stream", async () => {
  const page = await visit(browser, server.url, { ...WIDE, timezoneId: "Asia/Kolkata" });
  await page.uncheck("input[name=count][value=words]");
  assert.equal(await page.locator("section.count").count(), 1);
  await page.reload();
  await page.locator("section.count").waitFor();
  assert.equal(await page.locator("section.count").count(), 1);
  assert.equal(new URL(page.url()).searchParams.get("counts"), "hashtags");
  await until("posts a second", async () => /^\d/.test(await page.textContent("#rate")));
  await until("no lag", async () => (await page.textContent("#lag")) === "0");
  assert.match(await page.textContent("#clock"), /^\d\d:\d\d:\d\d$/);
  assert.equal(await page.textContent("#zone"), "UTC+5:30");
  assert.match(await page.getAttribute("#times", "title"), /those of Asia\/(Kolkata|Calcutta)$/);
  await until("fresh numbers", async () => (await page.getAttribute("#fresh", "data-state")) === "live");
  await page.finish();
});
