/**
 * The console of a whole running server in a real browser: the link of
 * `bulkhead console` signs in, mail that comes shows by itself, a message's
 * journey is told, it is held and released; and what strangers wrote, in
 * addresses and replies, does nothing.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { NextHop } from "../system/next_hop.ts";
import {
  freePort,
  type Installation,
  server,
} from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import {
  accessFaults,
  BROWSER,
  openWindow,
  startBrowser,
  type Window,
} from "./console_pages_fixture.ts";
import { areInstalled } from "./peers.ts";

const EVIL = "<img src=x onerror=document.title='owned'>";
const CONTENT = octets(
  `Subject: quarterly ${EVIL} figures\r\nFrom: <me@home.test>\r\n\r\nHello\r\n`,
);

Deno.test({
  name: "console: a running server in a browser",
  ignore: !areInstalled("console in a browser", BROWSER),
  // The browser's own process and pipes.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const hop = new NextHop(freePort());
    hop.manners = { onRcpt: () => `450 4.7.1 ${EVIL} come again` };
    await hop.listen();
    await using made = await server({
      routes: [`remote.test=127.0.0.1:${hop.port}`],
    });
    const browser = await startBrowser();
    const origin = `http://127.0.0.1:${made.consolePort}`;
    const opened = await openWindow(browser, origin);
    try {
      const walk = new Walk(made, origin, opened);
      await t.step("names nobody before sign-in", () => walk.stranger());
      await t.step("signs in by the link, once", () => walk.signIn());
      await t.step("shows mail as it comes", () => walk.liveFlow());
      await t.step("tells a journey, holds, releases", () => walk.orders());
      await t.step("has every page", () => walk.everyPage());
      await t.step("signs out", () => walk.signOut());
      assert.deepEqual(opened.faults, []);
    } finally {
      await browser.close();
      await hop.close();
    }
  },
});

class Walk {
  readonly #made: Installation;
  readonly #origin: string;
  readonly #page: Page;
  #id = "";

  constructor(made: Installation, origin: string, { page }: Window) {
    this.#made = made;
    this.#origin = origin;
    this.#page = page;
  }

  async stranger(): Promise<void> {
    await this.#page.goto(`${this.#origin}/queue`);
    assert.equal(await this.#heading(), "Sign in");
    await this.#page.goto(`${this.#origin}/`);
    assert.match(await this.#text("#recent"), /administrators only/);
  }

  async signIn(): Promise<void> {
    const { url } = await this.#made.json<{ url: string }>("console");
    await this.#page.goto(url);
    await this.#page.waitForURL(`${this.#origin}/`);
    assert.match(await this.#text(".account"), /Signed in/);
    assert.ok(!this.#page.url().includes("#"), "the ticket is gone from sight");
    // The same link again, in a window of its own.
    const again = await fetch(new URL("/in", url), {
      method: "POST",
      body: new URLSearchParams({ ticket: new URL(url).hash.slice(1) }),
    });
    assert.equal(again.status, 401);
    await again.body?.cancel();
  }

  async liveFlow(): Promise<void> {
    const page = this.#page;
    await page.locator("#beat", { hasText: "Live" }).waitFor();
    await page.evaluate("window.isTheSame = true");
    const client = await SmtpClient.open(this.#made.smtpPort);
    const helo = await client.say("EHLO <script>owned</script>");
    if (helo.code !== 250) client.expect(await client.say("EHLO me.test"), 250);
    const from = '"<script>owned</script>"@x.test';
    client.expect(await client.say(`MAIL FROM:<${from}>`), 250);
    client.expect(await client.say('RCPT TO:<"<b>o\'k</b>"@remote.test>'), 250);
    client.expect(await client.say("RCPT TO:<you@remote.test>"), 250);
    const done = client.expect(await client.data(CONTENT), 250);
    await client.quit();
    this.#id = /queued as (\S+)/.exec(done.text)![1]!;
    const row = page.locator("#recent tr", { hasText: this.#id });
    await row.waitFor();
    await page.locator("#recent tr", { hasText: EVIL }).waitFor();
    const text = await row.innerText();
    assert.match(text, /<script>owned<\/script>/, "shown, and inert");
    assert.match(text, /<b>o'k<\/b>/);
    assert.match(text, /waiting/);
    assert.equal(await page.evaluate("window.isTheSame"), true, "no reload");
    assert.deepEqual(await accessFaults(page), []);
  }

  async orders(): Promise<void> {
    const page = this.#page;
    await page.click(`#recent >> text=${this.#id}`);
    assert.equal(await this.#heading(), "Journey");
    assert.match(await this.#text("main"), new RegExp(this.#id));
    assert.match(await this.#text(".headline"), /remote\.test/);
    const evidence = page.locator(".steps details").first();
    await evidence.locator("summary").click();
    assert.notEqual(await evidence.locator("pre").innerText(), "");
    assert.deepEqual(await accessFaults(page), []);
    await page.goto(`${this.#origin}/queue?domain=remote.test`);
    await this.#order("Hold");
    assert.match(page.url(), /\/queue\?domain=remote\.test$/);
    await page.goto(`${this.#origin}/queue?state=hold`);
    await this.#order("Release");
    await page.goto(`${this.#origin}/queue?state=deferred`);
    await page.locator("#list tr", { hasText: this.#id }).waitFor();
  }

  /** Chooses the message in the list, and presses a button. */
  async #order(label: string): Promise<void> {
    await this.#page.check(`[aria-label="Choose ${this.#id}"]`);
    await this.#page.click(`.bulk button >> text=${label}`);
    await this.#page.locator(".notice", { hasText: this.#id }).waitFor();
  }

  async everyPage(): Promise<void> {
    const page = this.#page;
    for (
      const [path, heading, words] of [
        ["/search?q=you@remote.test", "Find", /1 message/],
        ["/search?q=Quarterly", "Find", /1 message/],
        ["/destinations", "Destinations", /remote\.test/],
        ["/clients", "Clients", /Nobody/],
        ["/roles", "Roles", /smtpd\.0/],
        ["/roles/queue", "Role queue", /What holds it/],
        ["/drill", "Drill", /bulkhead drill/],
        ["/erasure", "Erasure", /bulkhead shred status/],
        ["/certificates", "Certificates", /TLS/],
        ["/care", "Care", /bulkhead backup/],
      ] as const
    ) {
      await page.goto(this.#origin + path);
      assert.equal(await this.#heading(), heading);
      assert.match(await this.#text("main"), words, path);
      assert.equal(await page.locator("main img, main script").count(), 0);
      assert.notEqual(await page.title(), "owned");
    }
  }

  async signOut(): Promise<void> {
    await this.#page.click("text=Sign out");
    await this.#page.goto(`${this.#origin}/message/${this.#id}`);
    assert.equal(await this.#heading(), "Sign in");
  }

  #heading(): Promise<string> {
    return this.#page.locator("h1").innerText();
  }

  #text(selector: string): Promise<string> {
    return this.#page.locator(selector).first().innerText();
  }
}
