// The course of terms over time: opened from a row, compared, two kinds of chart, values by pointer and by keyboard; and all
// of it in the address.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, row, visit, WIDE } from "./browser.mjs";
import { demo, produce, times, until } from "./server.mjs";

const TAGS = ["Rust", "Go", "Zig", "C", "Ada", "Lisp"];
let browser, server;
before(async () => {
  [browser, server] = [await launch(), await demo(0)];
  await produce(server, TAGS.flatMap((tag, at) => times(60 - 10 * at, tag)));
});
after(async () => {
  await browser.close();
  await server.stop();
});

const legend = (page) => page.locator("#legend bdi").allTextContents();
const total = async (tag) => {
  const { panes } = await server.ask(`/v1/counts/hashtags/terms/${tag}/series?window=5m`);
  return String(panes.reduce((sum, { count }) => sum + count, 0));
};

test("a click opens the course, more clicks compare, a sixth is refused", async () => {
  const page = await visit(browser, server.url + "/?window=5m", WIDE);
  assert.ok(await page.locator("#course").isHidden());
  await row(page, "#Rust").click();
  await page.locator("#chart path.line").first().waitFor({ state: "attached" });
  assert.equal(await row(page, "#Rust").getAttribute("aria-pressed"), "true");
  await until("the sum of the panes", async () => (await page.textContent("#legend b")) === (await total("rust")));
  // Whoever chooses by keyboard goes on from there.
  await row(page, "#Go").focus();
  await page.keyboard.press("Enter");
  assert.ok(await row(page, "#Go").evaluate((element) => element === document.activeElement), "the row keeps the focus");
  for (const tag of TAGS.slice(2, 5)) await row(page, "#" + tag).click();
  await until("five courses", async () => (await page.locator("#chart g[data-slot] path.line:not(.open)").count()) === 5);
  assert.deepEqual(await legend(page), TAGS.slice(0, 5).map((tag) => "#" + tag));
  const place = await row(page, "#Lisp").boundingBox();
  await row(page, "#Lisp").click();
  assert.match(await page.textContent("#notices"), /5 terms are compared at most/);
  assert.deepEqual(await row(page, "#Lisp").boundingBox(), place, "what goes by itself moves nothing");
  assert.equal((await legend(page)).length, 5);
  const colours = await page.locator("#legend .swatch").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
  assert.equal(new Set(colours).size, 5);
  await page.getByRole("button", { name: "Remove #Go" }).click();
  assert.deepEqual(await legend(page), ["#Rust", "#Zig", "#C", "#Ada"]);
  const kept = await page.locator("#legend .swatch").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
  assert.deepEqual(kept, colours.toSpliced(1, 1), "a term keeps its colour while others go");
  await page.keyboard.press("Escape");
  await page.finish();
});

test("what cannot be shown says why, and is not asked for again", async () => {
  // A refusal is a failed request in the browser's console.
  const page = await visit(browser, server.url + "/", WIDE, { offline: true });
  let asked = 0;
  page.on("request", (request) => (asked += /\/terms\/%23/.test(request.url()) ? 1 : 0));
  await page.goto(server.url + "/?window=5m&term=hashtags:%23");
  const why = /^There is no course to show: ./;
  await until("the reason", async () => why.test(await page.textContent("#course-span")));
  const before = asked;
  await page.waitForTimeout(2500);
  assert.ok(before >= 1 && asked === before, `${before}, then ${asked}`);
  await page.finish();
});

test("two kinds of chart, with times and counts at their axes", async () => {
  const page = await visit(browser, server.url + "/?window=5m&term=hashtags:rust&term=hashtags:go", WIDE);
  await page.locator("#chart path.line").first().waitFor({ state: "attached" });
  const texts = await page.locator("#chart .time-mark").allTextContents();
  assert.ok(texts.length >= 4 && texts.every((text) => /^\d\d:\d\d(:\d\d)?$/.test(text)), texts.join());
  const counts = await page.locator("#chart .count-mark").allTextContents();
  assert.equal(counts[0], "0");
  assert.ok(counts.length >= 3 && Number(counts.at(-1)) >= 60, counts.join());
  await page.check("input[name=chart][value=bars]");
  await page.locator("#chart path.bars").first().waitFor({ state: "attached" });
  assert.equal(await page.locator("#chart path.line").count(), 0);
  assert.equal(new URL(page.url()).searchParams.get("chart"), "bars");
  await page.finish();
});

test("values by pointer and by keyboard", async () => {
  const page = await visit(browser, server.url + "/?window=5m&term=hashtags:rust&term=words:some", WIDE);
  await page.locator("#chart path.line").first().waitFor({ state: "attached" });
  const box = await page.locator("#chart").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const readout = page.locator(".readout");
  await readout.waitFor();
  assert.match(await readout.textContent(), /^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d#Rust\d+some\d+$/);
  await page.mouse.move(0, 0);
  await readout.waitFor({ state: "hidden" });
  const chart = page.getByRole("slider", { name: "Moment of the course" });
  await page.keyboard.press("Tab");
  await chart.focus();
  await page.keyboard.press("Home");
  assert.equal(await chart.getAttribute("aria-valuenow"), "0");
  // Over all panes the values add up to what the interface says.
  const last = Number(await chart.getAttribute("aria-valuemax"));
  let sum = 0;
  for (let at = 0; at <= last; at += 1) {
    sum += Number((await chart.getAttribute("aria-valuetext")).match(/#Rust: (\d+)/)[1]);
    await page.keyboard.press("ArrowRight");
  }
  assert.equal(String(sum), await total("rust"));
  await page.finish();
});

test("the address brings everything back: reload, a shared link, back and forward", async () => {
  const page = await visit(browser, server.url, WIDE);
  await row(page, "#Zig").click();
  await page.check("input[name=window][value='1h']");
  await row(page, "#Go").click();
  await page.check("input[name=chart][value=bars]");
  const address = page.url();
  assert.match(address, /\?window=1h&term=hashtags:zig&term=hashtags:go&chart=bars$/);
  const check = async (seen) => {
    await until("the same view", async () => (await seen.locator("#legend b").allTextContents()).join() === "40,50");
    assert.deepEqual(await legend(seen), ["#Zig", "#Go"]);
    assert.equal(await seen.locator("input[name=window]:checked").inputValue(), "1h");
    assert.equal(await seen.locator("input[name=chart]:checked").inputValue(), "bars");
  };
  await page.reload();
  await check(page);
  const shared = await visit(browser, address, WIDE);
  await check(shared);
  await shared.finish();
  await page.goBack();
  await page.goBack();
  assert.deepEqual(await legend(page), ["#Zig"]);
  await page.goForward();
  await page.goForward();
  await check(page);
  await page.click("#course-close");
  assert.ok(await page.locator("#course").isHidden());
  await page.finish();
});

test("where a window has no beginning, the longest that has one is shown", async () => {
  const page = await visit(browser, server.url + "/?window=all&term=hashtags:rust", WIDE);
  await page.locator("#chart path.line").first().waitFor({ state: "attached" });
  assert.match(await page.textContent("#course-span"), /over the last 1h only, .*; the numbers .* those of all$/);
  assert.equal(await page.textContent("#legend b"), "60", "the number is that of the ranking");
  await page.finish();
});

test("an address that makes no sense shows what there is", async () => {
  const more = ["a", "b", "c", "d"].map((term) => "&term=words:" + term).join("");
  const odd = "/?window=7y&counts=nothing&term=hashtags&term=:x&term=nothing:x&term=hashtags:%3Cb%3E&chart=pie" + more;
  const page = await visit(browser, server.url + odd, WIDE);
  await row(page, "#Rust").waitFor();
  const said = await page.locator("#lasting p").allTextContents();
  assert.deepEqual(said, [
    "There is no window 7y here; this is 1m.",
    "There is no ranking nothing here; this is all that there is.",
    "Not shown, since it names no term of a ranking here: hashtags, :x, nothing:x.",
    "5 terms are compared at most; the address names 1 more.",
  ]);
  const numbers = page.locator("#legend b");
  await until("terms that were never seen", async () => (await numbers.allTextContents()).join() === "0,0,0,0");
  assert.deepEqual(await legend(page), ["#<b>", "a", "b", "c"]);
  await page.finish();
});
