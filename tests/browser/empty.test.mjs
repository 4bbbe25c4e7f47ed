// An empty ranking says why it is empty: nothing has come yet, or what came is older than the window.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { barriers, launch, row, rows, visit, WIDE } from "./browser.mjs";
import { demo, produce, start, until } from "./server.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await demo(0)]));
after(async () => {
  await browser.close();
  await server.stop();
});

test("nothing yet, then old posts, which another window shows", async () => {
  const page = await visit(browser, server.url, WIDE);
  const hashtags = page.locator("section[aria-labelledby=count-hashtags] .empty");
  const waiting = /^Nothing has been counted yet\. Waiting for posts in the topic posts\.$/;
  await until("what it waits for", async () => waiting.test(await hashtags.textContent()));
  assert.ok(await hashtags.locator("button").isHidden(), "nothing is offered where there is nothing");
  const old = (tag, second) => ({ tags: [tag], created_at: `Wed Oct 10 20:15:${second} +0000 2018` });
  await produce(server, [old("Rust", "01"), old("Rust", "07"), old("Go", "05")]);
  const newest = /The newest post is of 10 Oct 2018, 20:15:07\./;
  await until("the newest post", async () => newest.test(await hashtags.textContent()));
  assert.deepEqual(await barriers(page), []);
  await hashtags.getByRole("button", { name: "Show all" }).click();
  await until("a ranking", async () => (await rows(page, "hashtags")).length === 2);
  assert.equal(new URL(page.url()).searchParams.get("window"), "all");
  await row(page, "#Rust").click();
  await until("the ranking's number", async () => (await page.textContent("#legend b")) === "2");
  await page.finish();
});

test("where nothing is streamed nothing gets old", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidings-"));
  const file = join(folder, "tidings.toml");
  const count = (name, window) => `[[count]]\nname = "${name}"\nof = "${name}"\nwindows = ["${window}"]\n`;
  const kafka = `[kafka]\nbrokers = "${server.brokers}"\nstart = "earliest"\n`;
  writeFileSync(file, kafka + count("hashtags", "all") + count("words", "5m"));
  const other = await (await start("run", "-c", file, "--bind", "127.0.0.1:0")).ready();
  const page = await visit(browser, other.url + "/?window=all&counts=hashtags", WIDE);
  const state = () => page.getAttribute("#fresh", "data-state");
  await until("fresh numbers", async () => (await state()) === "live");
  await page.check("input[name=window][value='5m']");
  await until("nothing to be fresh", async () => (await state()) === "waiting");
  await page.waitForTimeout(11_000);
  assert.equal(await state(), "waiting");
  assert.doesNotMatch(await page.textContent("#notices"), /may be old/);
  assert.equal(await page.evaluate(() => document.body.dataset.link), "live");
  await page.finish();
  await other.stop();
  rmSync(folder, { recursive: true });
});
