// Chromium, and what holds of the page in every test: no script of anyone else, no error, nothing asked of another host.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const installed = createRequire(join(process.env.TIDINGS_BROWSER, "packages.js"));
const { chromium } = installed("playwright-core");
const AXE = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

export const WIDE = { viewport: { width: 1200, height: 900 } };
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

// Opens an address in a window of its own. What goes wrong in it is kept in `faults`; failed requests are faults only where
// `offline` does not say that the server will be away.
export async function visit(browser, url, options = {}, { offline = false } = {}) {
  const context = await browser.newContext({ timezoneId: "UTC", ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push("error: " + error.message));
  page.on("dialog", (dialog) => faults.push("dialog: " + dialog.message()) && dialog.dismiss());
  page.on("console", (message) => {
    const lost = offline && /Failed to load resource|net::ERR/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !lost) faults.push("console: " + message.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push("foreign: " + request.url());
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
  });
  await page.goto(url);
  page.finish = async () => {
    faults.push(...(await page.evaluate(() => window.violations)).map((directive) => "policy: " + directive));
    assert.deepEqual(faults, []);
    await context.close();
  };
  return page;
}

// The rows of a ranking as a reader sees them.
export const rows = (page, count) =>
  page.locator(`section[aria-labelledby="count-${count}"] .row`).evaluateAll((all) =>
    all.map((row) => ({
      rank: Number(row.querySelector(".place").textContent),
      text: row.querySelector(".term").textContent,
      count: Number(row.querySelector(".number").textContent.replaceAll(",", "")),
    })));

export const row = (page, text) => page.locator(".row", { has: page.locator(`.term:text-is(${JSON.stringify(text)})`) });

// What the interface answers, in the same form.
export async function top(server, count, window) {
  const { top } = await server.ask(`/v1/counts/${count}/top?window=${window}&k=15`);
  const sign = count === "hashtags" ? "#" : "";
  return top.map(({ rank, display, count }) => ({ rank, text: sign + display, count }));
}

// What an automatic check of accessibility finds wrong.
export async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
