/**
 * `deno run -A scripts/console_shots.ts [MOOD] [PAGE...]`: pictures of the
 * console's pages in `dist/screenshots`, in both themes, wide and narrow, for
 * somebody to look at. With made-up facts; needs chromium-headless-shell.
 */
import { chromium } from "playwright-core";
import { type Mood, MOODS } from "../web/pages/fixture.ts";
import { consoleLab } from "./console_lab.ts";

const BROWSER = "/usr/bin/chromium-headless-shell";
/** Highest picture. */
const TALL = 1_700;
const OUT = "dist/screenshots";

const SHOTS: readonly (readonly [name: string, path: string])[] = [
  ["now", "/"],
  ["queue", "/queue"],
  ["message", "/message/19AB3F00C2D1"],
  ["find", "/search?q=novak"],
  ["destinations", "/destinations"],
  ["clients", "/clients"],
  ["roles", "/roles"],
  ["role", "/roles/queue"],
  ["drill", "/drill"],
  ["erasure", "/erasure"],
  ["certificates", "/certificates"],
  ["care", "/care"],
  ["in", "/in"],
  ["nothing", "/nothing"],
];

Deno.chdir(new URL("..", import.meta.url));
Deno.mkdirSync(OUT, { recursive: true });
const mood: Mood = MOODS.find((one) => one === Deno.args[0]) ?? "calm";
const wanted = Deno.args.slice(1);
const server = consoleLab(mood, { port: 0 });
const origin = `http://127.0.0.1:${server.addr.port}`;
const browser = await chromium.launch({
  executablePath: BROWSER,
  args: ["--no-sandbox"],
});
try {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1_440, 390]) {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      await page.goto(`${origin}/in#lab`);
      await page.waitForURL(`${origin}/`);
      for (const [name, path] of SHOTS) {
        if (wanted.length > 0 && !wanted.includes(name)) continue;
        await page.goto(origin + path);
        const file = `${OUT}/${mood}-${name}-${width}-${colorScheme}.png`;
        const height = await page.evaluate("document.body.scrollHeight");
        // What is far below only makes the picture small.
        const clip = {
          x: 0,
          y: 0,
          width,
          height: Math.min(Number(height), TALL),
        };
        await page.screenshot({ path: file, fullPage: true, clip });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await server.shutdown();
}
console.log(`Pictures are in ${OUT}`);
