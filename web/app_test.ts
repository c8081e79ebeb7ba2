import assert from "node:assert/strict";
import { HOST, Lab } from "./console_fixture.ts";

Deno.test("consoleApp shows roles and queue", async () => {
  const text = await (await new Lab().ask("/")).text();
  assert.match(text, /mx\.home\.test/);
  assert.match(text, /smtpd\.0/);
  assert.match(text, /deferred/);
});

Deno.test("consoleApp escapes what came through the mail", async () => {
  const text = await (await new Lab({ isOpen: true }).ask("/")).text();
  assert.match(text, /&lt;script&gt;/);
  assert.ok(!text.includes("<script>"));
  assert.ok(!text.includes("<b>"));
  assert.ok(!text.includes("\u202e"));
});

Deno.test("consoleApp names nobody to who is not signed in", async () => {
  const lab = new Lab();
  assert.doesNotMatch(await (await lab.ask("/")).text(), /x\.test/);
  const { cookie } = await lab.signIn();
  const text = await (await lab.ask("/", { headers: { cookie } })).text();
  assert.match(text, /x\.test/);
});

Deno.test("consoleApp allows no foreign script and no frame", async () => {
  const { headers } = await new Lab().ask("/");
  const policy = headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!policy.includes("unsafe"));
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("access-control-allow-origin"), null);
});

Deno.test("consoleApp refuses a rebound name", async () => {
  for (const host of ["evil.test", "localhost", "127.0.0.1:80", ""]) {
    const lab = new Lab();
    assert.equal((await lab.ask("/", { headers: { host } })).status, 421, host);
    const posted = await lab.post("/in", { ticket: "good" }, { host });
    assert.equal(posted.status, 421, host);
  }
});

Deno.test("consoleApp knows no other methods", async () => {
  for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const { status } = await new Lab().ask("/", { method });
    assert.equal(status, 405, method);
  }
});

Deno.test("consoleApp works while nobody answers it", async () => {
  const nobody = () => Promise.resolve(undefined);
  const answer = await new Lab({
    isOpen: true,
    sourcesOver: { news: () => undefined, counts: nobody, messages: nobody },
  }).ask("/");
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /does not answer now/);
});

Deno.test("consoleApp gives scripts the same numbers", async () => {
  const facts = await (await new Lab().ask("/status.json")).json();
  assert.equal(facts.queue.accepted, 5);
  assert.equal(facts.server.roles[0].instance, "smtpd.0");
});

Deno.test("consoleApp answers 404 for other pages", async () => {
  for (const path of ["/x", "/../etc/passwd", "/%00", "/__proto__"]) {
    assert.equal((await new Lab().ask(path)).status, 404, path);
  }
});

Deno.test("consoleApp signs in once the office says yes", async () => {
  const lab = new Lab();
  const no = await lab.post("/in", { ticket: "bad" });
  assert.equal(no.status, 401);
  assert.equal(no.headers.get("set-cookie"), null);
  const yes = await lab.post("/in", { ticket: "good" });
  assert.equal(yes.status, 303);
  assert.match(
    yes.headers.get("set-cookie") ?? "",
    /^bulkhead=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
});

Deno.test("consoleApp carries a grant to the office and says what came of it", async () => {
  const lab = new Lab();
  const { cookie, csrf } = await lab.signIn();
  const answer = await lab.post("/queue/0123456789ABCDEF/hold", {
    csrf,
    back: "/?x=1",
  }, { cookie });
  assert.deepEqual([answer.status, answer.headers.get("location")], [
    303,
    "/?x=1",
  ]);
  assert.deepEqual(lab.asked, ["hold 0123456789ABCDEF grant-of-eva"]);
  const page = () => lab.ask("/", { headers: { cookie } });
  assert.match(await (await page()).text(), /Done: hold/);
  assert.doesNotMatch(await (await page()).text(), /Done: hold/);
});

const HOLD = "/queue/0123456789ABCDEF/hold";

Deno.test("consoleApp refuses forms that are not its own", async (t) => {
  const lab = new Lab();
  const { cookie, csrf } = await lab.signIn();
  const other = await lab.signIn();
  const rows: readonly {
    name: string;
    path?: string;
    fields: Record<string, string> | string;
    headers?: Record<string, string | null>;
    status: number;
  }[] = [
    {
      name: "no session",
      fields: { csrf },
      headers: { cookie: "" },
      status: 401,
    },
    {
      name: "a forged cookie",
      fields: { csrf },
      headers: { cookie: `bulkhead=${"A".repeat(43)}` },
      status: 401,
    },
    {
      name: "the cookie twice",
      fields: { csrf },
      headers: { cookie: `bulkhead=x; ${cookie}` },
      status: 401,
    },
    { name: "no token", fields: {}, status: 403 },
    { name: "an empty token", fields: { csrf: "" }, status: 403 },
    {
      name: "another session's token",
      fields: { csrf: other.csrf },
      status: 403,
    },
    {
      name: "another origin",
      fields: { csrf },
      headers: { origin: "http://evil.test" },
      status: 403,
    },
    {
      name: "the same host at another port",
      fields: { csrf },
      headers: { origin: "http://localhost:80" },
      status: 403,
    },
    {
      name: "an origin that hides itself",
      fields: { csrf },
      headers: { origin: "null" },
      status: 403,
    },
    {
      name: "a browser that says cross-site",
      fields: { csrf },
      headers: { "sec-fetch-site": "cross-site" },
      status: 403,
    },
    {
      name: "a browser that says same-site",
      fields: { csrf },
      headers: { "sec-fetch-site": "same-site" },
      status: 403,
    },
    {
      name: "JSON",
      fields: JSON.stringify({ csrf }),
      headers: { "content-type": "application/json" },
      status: 415,
    },
    {
      name: "text, which a foreign form may send",
      fields: `csrf=${csrf}`,
      headers: { "content-type": "text/plain" },
      status: 415,
    },
    {
      name: "a body that is too long",
      fields: `csrf=${csrf}&x=${"x".repeat(8_192)}`,
      status: 413,
    },
    {
      name: "a length that is too long",
      fields: `csrf=${csrf}`,
      headers: { "content-length": "8193" },
      status: 413,
    },
    {
      name: "too many fields",
      fields: `csrf=${csrf}` +
        Array.from({ length: 64 }, (_, i) => `&f${i}=1`).join(""),
      status: 400,
    },
    {
      name: "the token twice",
      fields: `csrf=${csrf}&csrf=${csrf}`,
      status: 400,
    },
    { name: "half an escape", fields: `csrf=${csrf}&a=%4`, status: 400 },
    {
      name: "octets that are no text",
      fields: `csrf=${csrf}&a=%ff`,
      status: 400,
    },
    {
      name: "an id that is none",
      path: "/queue/..%2f..%2fx/hold",
      fields: { csrf },
      status: 404,
    },
    {
      name: "an action that is none",
      path: "/queue/0123456789ABCDEF/reroute",
      fields: { csrf },
      status: 404,
    },
    { name: "reading is no doing", path: "/out", fields: {}, status: 403 },
  ];
  for (const { name, path = HOLD, fields, headers, status } of rows) {
    await t.step(name, async () => {
      const answer = await lab.post(path, fields, { cookie, ...headers });
      assert.equal(answer.status, status, await answer.text());
      assert.deepEqual(lab.asked, []);
    });
  }
  await t.step("and takes its own", async () => {
    assert.equal((await lab.post(HOLD, { csrf }, { cookie })).status, 303);
    assert.equal(lab.asked.length, 1);
    for (const path of [HOLD, "/queue/flush", "/clients/allow", "/out"]) {
      const { status } = await lab.ask(path, { headers: { cookie } });
      assert.equal(status, 404, `${path} is not to be got`);
    }
    assert.equal(lab.asked.length, 1);
  });
});

Deno.test("consoleApp does the same with each message that was chosen", async () => {
  const lab = new Lab();
  const { cookie, csrf } = await lab.signIn();
  const chosen = (fields: Record<string, string>) =>
    lab.post("/queue/chosen/hold", { csrf, ...fields }, { cookie });
  const two = { id0: "0123456789ABCDEF", id7: "0123456789ABCDE0" };
  assert.equal((await chosen(two)).status, 303);
  assert.deepEqual(lab.asked, [
    "hold 0123456789ABCDEF 0123456789ABCDE0 grant-of-eva",
  ]);
  await chosen({ ...two, id8: "../x" });
  await chosen({});
  assert.equal(lab.asked.length, 1, "nothing, if one is no id or none is");
});

Deno.test("consoleApp leads back to its own pages only", async () => {
  const lab = new Lab();
  const { cookie, csrf } = await lab.signIn();
  for (
    const back of [
      "//evil.test/",
      "/\\evil.test",
      "https://evil.test/",
      "javascript:alert(1)",
      "/\r\nX: y",
      "/a\\b",
      " /x",
      "/" + "x".repeat(600),
    ]
  ) {
    const answer = await lab.post(HOLD, { csrf, back }, { cookie });
    assert.equal(answer.headers.get("location"), "/", back);
  }
});

Deno.test("consoleApp ends a session", async (t) => {
  const isIn = async (lab: Lab, cookie: string) =>
    /x\.test/.test(await (await lab.ask("/", { headers: { cookie } })).text());
  await t.step("by signing out", async () => {
    const lab = new Lab();
    const { cookie, csrf } = await lab.signIn();
    const other = await lab.signIn();
    assert.ok(await isIn(lab, cookie));
    const answer = await lab.post("/out", { csrf }, { cookie });
    assert.match(answer.headers.get("set-cookie") ?? "", /Max-Age=0/);
    assert.match(await answer.text(), /Done: out/, "whether all heard of it");
    assert.ok(!await isIn(lab, cookie));
    assert.ok(await isIn(lab, other.cookie));
    assert.deepEqual(lab.asked, ["out grant-of-eva false"]);
  });
  await t.step("everywhere", async () => {
    const lab = new Lab();
    const { cookie, csrf } = await lab.signIn();
    const other = await lab.signIn();
    await lab.post("/out", { csrf, everywhere: "yes" }, { cookie });
    assert.ok(!await isIn(lab, other.cookie));
  });
  await t.step("when its time is over", async () => {
    const lab = new Lab();
    const { cookie } = await lab.signIn();
    for (let hours = 1; hours < 12; hours++) {
      lab.nowMs += 3_600_000;
      assert.ok(await isIn(lab, cookie), `${hours} h`);
    }
    lab.nowMs += 3_600_000;
    assert.ok(!await isIn(lab, cookie));
  });
  await t.step("when nobody uses it", async () => {
    const lab = new Lab();
    const { cookie } = await lab.signIn();
    lab.nowMs += 2 * 3_600_000;
    assert.ok(!await isIn(lab, cookie));
  });
  await t.step("though its page asks for events again", async () => {
    const lab = new Lab({ live: () => new ReadableStream() });
    const { cookie } = await lab.signIn();
    lab.nowMs += 3_600_000;
    const events = await lab.ask("/events", { headers: { cookie } });
    await events.body?.cancel();
    lab.nowMs += 3_600_000;
    assert.ok(!await isIn(lab, cookie));
  });
  await t.step("when a page is refused what it asks for", async () => {
    const lab = new Lab();
    const { cookie } = await lab.signIn();
    lab.isRefused = true;
    const page = () => lab.ask("/queue", { headers: { cookie } });
    const first = await page();
    assert.equal(first.status, 401);
    assert.match(await first.text(), /This sign-in is over/);
    assert.doesNotMatch(await (await page()).text(), /This sign-in is over/);
  });
  await t.step("when queue or gate will not have its grant", async () => {
    const lab = new Lab();
    const { cookie, csrf } = await lab.signIn();
    lab.isOver = true;
    const answer = await lab.post(HOLD, { csrf }, { cookie });
    assert.equal(answer.status, 401);
    assert.match(await answer.text(), /Done: hold/, "it says why");
    assert.ok(!await isIn(lab, cookie));
  });
});

Deno.test("consoleApp slows down who guesses tickets", async () => {
  const lab = new Lab();
  const knock = async () => (await lab.post("/in", { ticket: "bad" })).status;
  const first = [];
  for (let i = 0; i < 6; i++) first.push(await knock());
  assert.deepEqual(first, [401, 401, 401, 401, 401, 429]);
  assert.equal((await lab.post("/in", { ticket: "good" })).status, 429);
  lab.nowMs += 2_000;
  assert.equal(await knock(), 401);
});

Deno.test("consoleApp gives TLS what it can hold", async () => {
  const lab = new Lab({
    reach: { hosts: new Set([HOST]), isSecure: true, origins: new Set() },
  });
  const origin = `https://${HOST}`;
  const plain = await lab.post("/in", { ticket: "good" });
  assert.equal(plain.status, 403, "a form of a page without TLS");
  const { headers } = await lab.post("/in", { ticket: "good" }, { origin });
  assert.match(headers.get("set-cookie") ?? "", /^__Host-bulkhead=.*; Secure$/);
  assert.match(headers.get("strict-transport-security") ?? "", /max-age=/);
  const other = await new Lab().ask("/");
  assert.equal(other.headers.get("strict-transport-security"), null);
});

Deno.test("consoleApp opens no stream that nobody would read", async () => {
  let opened = 0;
  const live = () => (opened++, new ReadableStream<Uint8Array>());
  const answer = await new Lab({ live }).ask("/events", { method: "HEAD" });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  assert.equal(opened, 0);
});

Deno.test("consoleApp says so when a page fails, and tells the log", async () => {
  const faults: string[] = [];
  const lab = new Lab({
    sourcesOver: { counts: () => Promise.reject(new Error("a bug")) },
    onFault: ({ message }, path) => faults.push(`${path} ${message}`),
  });
  const answer = await lab.ask("/");
  assert.equal(answer.status, 500);
  assert.match(await answer.text(), /This page failed/);
  assert.match(answer.headers.get("content-security-policy") ?? "", /'none'/);
  assert.deepEqual(faults, ["/ a bug"]);
});

Deno.test("consoleApp says what is wrong with a network", async () => {
  const lab = new Lab();
  const { cookie, csrf } = await lab.signIn();
  const network = "192.0.2.7/24";
  await lab.post("/clients/deny", { csrf, network }, { cookie });
  assert.deepEqual(lab.asked, []);
  const page = await lab.ask("/", { headers: { cookie } });
  assert.match(await page.text(), /it should be 192\.0\.2\.0\/24\. Nothing/);
});
