// Terms are other people's text: whatever they hold, they are shown as text, whole, and do nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, overflow, PHONE, row, rows, top, visit, WIDE } from "./browser.mjs";
import { demo, produce, until } from "./server.mjs";

const MARKUP = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "\"'><svg onload=alert(3)>", "javascript:alert(4)", "{{7*7}}${alert(5)}"];
const SCRIPTS = ["هدف_اليوم", "ירושלים", "台風接近", "한국어", "สวัสดี", "🎉👨‍👩‍👧‍👦", "\u202etxet", "e\u0301toile"];
const LONG = "long" + "Слово".repeat(24);
let browser, server;
before(async () => {
  [browser, server] = [await launch(), await demo(0)];
  const tags = [...MARKUP, ...SCRIPTS, LONG];
  const posts = tags.flatMap((tag, at) => Array.from({ length: 2 * (tags.length - at) }, () => ({ tags: [tag], text: "שלום world " + tag })));
  await produce(server, posts);
});
after(async () => {
  await browser.close();
  await server.stop();
});

for (const [name, options] of [["wide", WIDE], ["phone", PHONE]]) {
  test("hostile terms are shown as text: " + name, async () => {
    const page = await visit(browser, server.url + "/?window=all", options);
    await until("the ranking", async () => (await rows(page, "hashtags")).length === MARKUP.length + SCRIPTS.length + 1);
    assert.deepEqual(await rows(page, "hashtags"), await top(server, "hashtags", "all"));
    const [first] = MARKUP;
    await row(page, "#" + first).click();
    await row(page, "#" + SCRIPTS[0]).click();
    await until("a course", async () => (await page.locator("#legend b").allTextContents()).every((text) => /\d/.test(text)));
    assert.deepEqual(await page.locator("#legend bdi").allTextContents(), ["#" + first, "#" + SCRIPTS[0]]);
    await page.fill("#search", "#<");
    await until("completions", async () => (await page.locator("[role=option]").count()) === 2);
    await page.keyboard.press("Escape");
    const made = await page.evaluate(() => document.querySelectorAll("main img, main svg, main script, [onerror], [onload], #legend img").length);
    assert.equal(made, 0, "no element was made of a term");
    assert.equal(await overflow(page), 0);
    await page.reload();
    await until("the same from the address", async () => (await page.locator("#legend bdi").count()) === 2);
    await page.finish();
  });
}

test("each term has its own direction, and none disturbs the row", async () => {
  const page = await visit(browser, server.url + "/?window=all", WIDE);
  await row(page, "#" + SCRIPTS[0]).waitFor();
  const look = (text) => row(page, "#" + text).locator(".term").evaluate((term) => {
    const [own, number] = [term, term.parentElement.querySelector(".number")].map((part) => part.getBoundingClientRect());
    return { direction: getComputedStyle(term).direction, apart: own.right <= number.left, cut: term.scrollWidth > term.clientWidth };
  });
  for (const text of SCRIPTS.slice(0, 2)) assert.deepEqual(await look(text), { direction: "rtl", apart: true, cut: false });
  for (const text of SCRIPTS.slice(2)) assert.deepEqual(await look(text), { direction: "ltr", apart: true, cut: false });
  assert.deepEqual(await look(LONG), { direction: "ltr", apart: true, cut: true });
  const key = await row(page, "#" + LONG).getAttribute("title");
  assert.equal(key, "#" + LONG, "what is cut is whole in its title");
  const heights = await page.locator("section[aria-labelledby=count-hashtags] .row").evaluateAll((all) => all.map((one) => one.offsetHeight));
  assert.equal(new Set(heights).size, 1);
  await page.finish();
});
