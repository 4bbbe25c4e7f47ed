// What is lost is said: the connection, and the source behind the server. When it is back, that shows as well.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, rows, visit, WIDE } from "./browser.mjs";
import { demo, produce, start, times, until } from "./server.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const notices = (page) => page.textContent("#notices");

test("a server that goes and comes back", async () => {
  const first = await demo(0);
  await produce(first, times(7, "before"));
  const page = await visit(browser, first.url + "/?window=all", WIDE, { offline: true });
  await until("a ranking", async () => (await rows(page, "hashtags")).length === 1);
  await first.stop();
  await until("a sign", async () => /Connection lost/.test(await notices(page)));
  assert.match(await notices(page), /The numbers are those of \d\d:\d\d:\d\d/);
  assert.equal(await page.getAttribute("#fresh", "data-state"), "lost");
  assert.equal(await page.getAttribute("body", "data-link"), "lost");
  assert.equal((await rows(page, "hashtags"))[0].text, "#before", "the last numbers stay");
  const second = await start("demo", "--bind", "127.0.0.1:" + first.port, "--rate", "0", "-w", "1");
  await second.ready();
  await produce(second, times(9, "after"));
  await page.getByRole("button", { name: "Try now" }).click({ timeout: 1000 }).catch(() => {});
  await until("numbers of the new server", async () => (await rows(page, "hashtags"))[0]?.text === "#after");
  await until("no sign", async () => !/Connection lost/.test(await notices(page)));
  assert.equal(await page.getAttribute("body", "data-link"), "live");
  await page.finish();
  await second.stop();
});

test("a source that goes", async () => {
  const source = await demo(0);
  const folder = mkdtempSync(join(tmpdir(), "tidings-"));
  const file = join(folder, "tidings.toml");
  const counts = '[[count]]\nname = "tags"\nof = "hashtags"\nwindows = ["2m", "all"]\n[[count]]\nname = "pairs"\nof = "phrases"\nwindows = ["10m"]\n';
  writeFileSync(file, `[kafka]\nbrokers = "${source.brokers}"\nstart = "earliest"\n${counts}`);
  await produce(source, times(7, "kept"));
  const server = await (await start("run", "-c", file, "--bind", "127.0.0.1:0")).ready();
  const page = await visit(browser, server.url, WIDE, { offline: true });
  await until("a ranking of what is configured", async () => (await rows(page, "tags")).length === 1);
  assert.match(await page.textContent("#rankings"), /pairs are not counted over 2m, but over 10m/);
  const windows = await page.locator("#windows span").allTextContents();
  assert.deepEqual(windows, ["2m", "10m", "all"], "by size, not by mention");
  await page.check("input[name=window][value='10m']");
  await until("the other ranking", async () => (await rows(page, "pairs")).length === 2);
  await source.stop();
  await until("a sign", async () => /The source is lost/.test(await notices(page)));
  assert.equal((await rows(page, "pairs")).length, 2, "the numbers stay");
  // On a screen that shows little at once, the sign goes along.
  await page.setViewportSize({ width: 400, height: 300 });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const sign = page.locator("#notices p");
  assert.ok((await page.evaluate(() => scrollY)) > 200);
  await until("a sign in view", async () => (await sign.boundingBox()).y >= 0);
  await page.context().close();
  await server.stop();
  rmSync(folder, { recursive: true });
});
