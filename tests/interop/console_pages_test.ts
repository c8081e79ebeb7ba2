/**
 * The console's pages in a real browser, with facts made up by an enemy: in
 * both themes, wide and narrow, with and without scripts, by keyboard alone.
 */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { consoleLab } from "../../scripts/console_lab.ts";
import {
  accessFaults,
  BROWSER,
  openWindow,
  startBrowser,
} from "./console_pages_fixture.ts";
import { areInstalled } from "./peers.ts";

const PATHS = [
  ...["/", "/queue", "/message/19AB3F00C2D1", "/message/0", "/search?q=a"],
  ...["/destinations", "/clients", "/roles", "/roles/queue", "/drill"],
  ...["/erasure", "/certificates", "/care", "/in", "/nothing"],
];

Deno.test({
  name: "console: pages in a browser",
  ignore: !areInstalled("console pages", BROWSER),
  // The browser's own process and pipes.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const server = consoleLab("hostile", { port: 0 });
    const origin = `http://127.0.0.1:${server.addr.port}`;
    const browser = await startBrowser();
    try {
      await t.step(
        "every page in both themes, wide and narrow",
        () => lookAtAll(browser, origin),
      );
      await t.step("without scripts", () => withoutScripts(browser, origin));
      await t.step(
        "live, and leaves what somebody does",
        () => whileLive(browser, origin),
      );
      await t.step("by keyboard", () => byKeyboard(browser, origin));
    } finally {
      await browser.close();
      await server.shutdown();
    }
  },
});

/** The first element that makes the page wider than the window. */
const TOO_WIDE = `document.documentElement.scrollWidth <= innerWidth ? "" :
  Array.from(document.querySelectorAll("main *, header *, nav *")).filter((one) =>
    !one.closest(".wide") && one.getBoundingClientRect().right > innerWidth
  ).map((one) => one.outerHTML.slice(0, 150))[0] ?? "?"`;

const LOOKS = [
  { width: 1_440, colorScheme: "light", rules: "all" },
  { width: 390, colorScheme: "light", rules: "all" },
  // What is no colour is the same in both themes.
  { width: 390, colorScheme: "dark", rules: "colours" },
  { width: 1_440, colorScheme: "dark", rules: "colours" },
] as const;

async function lookAtAll(browser: Browser, origin: string): Promise<void> {
  const { context, page, faults } = await openWindow(browser, origin);
  await page.goto(`${origin}/in#lab`);
  await page.waitForURL(`${origin}/`);
  for (const path of PATHS) {
    await page.goto(origin + path);
    for (const { width, colorScheme, rules } of LOOKS) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const where = `${path}, ${width} px, ${colorScheme}`;
      for (const fault of await accessFaults(page, rules)) {
        faults.push(`${where}: ${fault}`);
      }
      const wide = await page.evaluate(TOO_WIDE) as string;
      if (wide !== "") faults.push(`${where}: too wide: ${wide}`);
    }
    assert.notEqual(await page.title(), "owned");
  }
  assert.deepEqual(faults, []);
  await context.close();
}

async function withoutScripts(browser: Browser, origin: string): Promise<void> {
  const { context, page, faults } = await openWindow(browser, origin, {
    javaScriptEnabled: false,
  });
  await page.goto(`${origin}/in`);
  await page.fill("#ticket", "lab");
  await page.click("main form button");
  assert.equal(page.url(), `${origin}/`);
  for (const path of PATHS) {
    await page.goto(origin + path);
    assert.ok((await page.locator("h1").innerText()) !== "", path);
  }
  await page.goto(`${origin}/queue`);
  await page.locator(".messages input").first().check();
  await page.click("text=Hold");
  assert.match(await page.locator(".notice").innerText(), /Done/);
  assert.deepEqual(faults, []);
  await context.close();
}

async function whileLive(browser: Browser, origin: string): Promise<void> {
  const { context, page, faults } = await openWindow(browser, origin);
  await page.goto(`${origin}/in#lab`);
  await page.waitForURL(`${origin}/`);
  await page.goto(`${origin}/queue`);
  const second = page.locator(".messages tbody tr").nth(1);
  await second.locator("input").check();
  const id = await second.locator("a").innerText();
  await second.locator("a").focus();
  await page.evaluate("document.querySelector('#list table').id = 'old'");
  await page.locator("#old").waitFor({ state: "detached" });
  assert.ok(await second.locator("input").isChecked());
  assert.equal(await page.evaluate("document.activeElement.textContent"), id);
  // Somebody decides about this message: its page is left alone.
  await page.goto(`${origin}/message/19AB3F00C2D1`);
  await page.locator(".sure summary").click();
  await page.evaluate("document.querySelector('.steps').id = 'old'");
  const renewed = () =>
    page.waitForResponse((one) => one.request().headers()["x-renew"] === "1");
  await renewed();
  await renewed();
  assert.equal(await page.locator("#old").count(), 1);
  assert.ok(await page.locator(".sure .danger").isVisible());
  assert.deepEqual(faults, []);
  await context.close();
}

async function byKeyboard(browser: Browser, origin: string): Promise<void> {
  const { context, page, faults } = await openWindow(browser, origin);
  await page.goto(`${origin}/in#lab`);
  await page.waitForURL(`${origin}/`);
  await page.goto(`${origin}/queue`);
  const focused = () =>
    page.evaluate(
      `[document.activeElement.tagName, document.activeElement.textContent.trim(),
        getComputedStyle(document.activeElement).outlineStyle].join("|")`,
    ) as Promise<string>;
  await page.keyboard.press("Tab");
  assert.match(await focused(), /^A\|Skip to the content\|solid$/);
  await page.keyboard.press("Enter");
  assert.match(await focused(), /^MAIN\|/);
  const seen = new Set<string>();
  for (let presses = 0; presses < 400; presses++) {
    await page.keyboard.press("Tab");
    const one = await focused();
    if (one.startsWith("BODY|")) break;
    assert.doesNotMatch(one, /\|none$/, "focus is seen");
    seen.add(one);
  }
  const all = [...seen].join("\n");
  assert.match(await focused(), /^BODY\|/, "no trap: the end is reached");
  for (const name of ["Try all that waits now", "Hold", "Delete…"]) {
    assert.ok(all.includes(`|${name}|`), `${name} is reached: ${all}`);
  }
  assert.deepEqual(faults, []);
  await context.close();
}
