import assert from "node:assert/strict";
import { consoleApp, type Sources } from "./app.ts";

const HOSTS = new Set(["127.0.0.1:2528", "localhost:2528"]);

function sources(over: Partial<Sources> = {}): Sources {
  return {
    news: () => ({
      pid: 1,
      startedMs: 0,
      ready: true,
      hostname: "mx.home.test",
      version: "0.1.0",
      roles: [{
        instance: "smtpd.0",
        state: "ready",
        pid: 7,
        restarts: 2,
        upMs: 61_000,
        memoryBytes: 0,
        counters: { sessions: 3 },
      }],
    }),
    counts: () =>
      Promise.resolve({
        byState: {
          incoming: 0,
          active: 0,
          deferred: 1,
          hold: 0,
          bounce: 0,
          corrupt: 0,
        },
        accepted: 5,
        delivered: 4,
        bounced: 0,
      }),
    recent: () =>
      Promise.resolve([{
        queueId: "0123456789ABCDEF",
        arrivedMs: 0,
        sizeBytes: 9,
        reversePath: "<script>alert(1)</script>@x.test",
        recipients: 1,
        state: "deferred" as const,
        why: 'refused "by"\u202e host <b>',
      }]),
    nowMs: () => 100_000,
    ...over,
  };
}

const ask = (path: string, init: RequestInit = {}, over = {}) =>
  consoleApp(sources(over), HOSTS).request(path, {
    headers: { host: "localhost:2528" },
    ...init,
  });

Deno.test("consoleApp shows roles and queue", async () => {
  const text = await (await ask("/")).text();
  assert.match(text, /mx\.home\.test/);
  assert.match(text, /smtpd\.0/);
  assert.match(text, /<td>deferred<\/td><td>1<\/td>/);
});

Deno.test("consoleApp escapes what came through the mail", async () => {
  const text = await (await ask("/")).text();
  assert.ok(!text.includes("<script>"));
  assert.ok(!text.includes("<b>"));
  assert.ok(!text.includes("\u202e"));
  assert.match(text, /&lt;script&gt;/);
});

Deno.test("consoleApp allows no script and no frame", async () => {
  const policy = (await ask("/")).headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!policy.includes("unsafe"));
});

Deno.test("consoleApp refuses a rebound name", async () => {
  for (const host of ["evil.test", "localhost", "127.0.0.1:80", ""]) {
    const answer = await ask("/", { headers: { host } });
    assert.equal(answer.status, 421, host);
  }
});

Deno.test("consoleApp only shows", async () => {
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    assert.equal((await ask("/", { method })).status, 405, method);
  }
});

Deno.test("consoleApp works while nobody answers it", async () => {
  const answer = await ask("/", {}, {
    news: () => undefined,
    counts: () => Promise.resolve(undefined),
    recent: () => Promise.resolve(undefined),
  });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /does not answer now/);
});

Deno.test("consoleApp gives scripts the same facts", async () => {
  const facts = await (await ask("/status.json")).json();
  assert.equal(facts.queue.accepted, 5);
  assert.equal(facts.server.roles[0].instance, "smtpd.0");
});

Deno.test("consoleApp answers 404 for other pages", async () => {
  for (const path of ["/x", "/../etc/passwd", "/%00", "/__proto__"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
});
