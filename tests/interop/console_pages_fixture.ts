/**
 * A real browser for the console: Debian's Chromium without a screen, driven
 * by playwright-core. Whatever it asks for is written down, so that a test can
 * say that nothing left the origin.
 */
import axe from "axe-core";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
} from "playwright-core";

/** The browser's program; package chromium-headless-shell. */
export const BROWSER = "/usr/bin/chromium-headless-shell";

/** Starts the browser; root has no sandbox there, and it sees only our pages. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

/** A window, and what went on in it that no page of ours may do. */
export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Requests to elsewhere, dialogs, errors, what the policy stopped. */
  readonly faults: string[];
}

/** Opens a window that writes down whatever should not be. */
export async function openWindow(
  browser: Browser,
  origin: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Window> {
  const context = await browser.newContext({
    reducedMotion: "reduce",
    ...options,
  });
  const faults: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) {
      faults.push(`asked for ${request.url()}`);
    }
  });
  const page = await context.newPage();
  context.on("page", () => faults.push("a new window"));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("console", (message) => {
    // What the policy stopped, and a status that is no 200, are told here.
    if (
      message.type() === "error" && !/status of 40[14]/.test(message.text())
    ) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.setDefaultTimeout(10_000);
  return { context, page, faults };
}

/**
 * Faults that axe-core finds, the small ones too, a line each.
 *
 * @param rules All, or those that depend on the colours alone
 */
export async function accessFaults(
  page: Page,
  rules: "all" | "colours" = "all",
): Promise<readonly string[]> {
  if (await page.evaluate("typeof axe") === "undefined") {
    await page.evaluate(axe.source);
  }
  // WCAG 2.2 asks for the size of targets, axe-core by itself does not.
  const options = rules === "all"
    ? 'rules: { "target-size": { enabled: true } }'
    : 'runOnly: ["color-contrast"]';
  // In the browser: a string, so that its names are not ours to check.
  return await page.evaluate(`
    axe.run(document, { resultTypes: ["violations"], ${options} }).then((all) =>
      all.violations.map(({ id, nodes }) => id + ": " +
        nodes.slice(0, 3).map((one) =>
          one.target.join(" ") + ": " + one.failureSummary).join(" | ")))`);
}
