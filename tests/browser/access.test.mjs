// A server that wants a token: the page asks for it, and offers no link that could not send it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, rows, visit, WIDE } from "./browser.mjs";
import { demo, produce, start, times, until } from "./server.mjs";

const TOKEN = "a-token-of-the-tests-0123456789abcdef0123456789";
let browser, source, server, folder;
before(async () => {
  [browser, source, folder] = [await launch(), await demo(0), mkdtempSync(join(tmpdir(), "tidings-"))];
  await produce(source, times(7, "kept"));
  const [file, token] = [join(folder, "tidings.toml"), join(folder, "token")];
  writeFileSync(token, TOKEN, { mode: 0o600 });
  writeFileSync(file, `[kafka]\nbrokers = "${source.brokers}"\nstart = "earliest"\n[http]\ntoken_file = "${token}"\n`);
  server = await (await start("run", "-c", file, "--bind", "127.0.0.1:0")).ready();
});
after(async () => {
  await browser.close();
  await server.stop();
  await source.stop();
  rmSync(folder, { recursive: true });
});

const links = (page) => page.locator("footer a:visible").allTextContents();

test("the token is asked for once, and no link leads to a refusal", async () => {
  // A refusal is a failed request in the browser's console.
  const page = await visit(browser, server.url + "/?window=all", WIDE, { offline: true });
  await page.locator("#token").fill("not this one");
  await page.keyboard.press("Enter");
  await until("another question", async () => /refused that token/.test(await page.textContent("#access-why")));
  await page.locator("#token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await until("a ranking", async () => (await rows(page, "hashtags")).length === 1);
  assert.deepEqual(await links(page), ["interface"]);
  await page.reload();
  await until("the ranking again", async () => (await rows(page, "hashtags")).length === 1);
  assert.deepEqual(await links(page), ["interface"]);
  await page.finish();
});

test("a browser that keeps nothing asks for the token each time", async () => {
  const page = await visit(browser, source.url + "/?window=all", WIDE, { offline: true });
  await page.addInitScript(() => {
    const get = () => {
      throw new DOMException("storage is forbidden", "SecurityError");
    };
    Object.defineProperty(window, "sessionStorage", { get });
  });
  await page.goto(source.url + "/?window=all");
  await until("a ranking", async () => (await rows(page, "hashtags")).length === 1);
  await page.goto(server.url + "/?window=all");
  for (let loads = 0; loads < 2; loads += 1) {
    await page.locator("#token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await until("a ranking", async () => (await rows(page, "hashtags")).length === 1);
    await page.reload();
  }
  await page.context().close();
});

test("where no token is wanted, all links are there", async () => {
  const page = await visit(browser, source.url, WIDE);
  assert.deepEqual(await links(page), ["status", "counts", "interface", "metrics"]);
  await page.finish();
});
