// Children here are small scripts without walls: `mod/walls` tests those.
import assert from "node:assert/strict";
import { EXIT_CANNOT_START, type Order } from "../ipc/role_runtime.ts";
import { Child, restartDelayMs } from "./child.ts";

const order: Order = {
  do: "start",
  instance: "dns.0",
  part: {},
  listeners: [],
  asks: [],
  answers: [],
  restAfterMs: 0,
};

const frames = new URL("../ipc/frames.ts", import.meta.url).href;

/** A role that reports ready, and then does `body` with every order. */
function role(body: string): string {
  return `
    import { encodeFrame, FrameReader } from ${JSON.stringify(frames)};
    const report = (what) => Deno.stdout.writeSync(
      encodeFrame("control", 0, JSON.stringify(what)));
    const reader = new FrameReader();
    for await (const bytes of Deno.stdin.readable) {
      for (const frame of reader.push(bytes)) {
        const order = JSON.parse(new TextDecoder().decode(frame.body));
        ${body}
      }
    }`;
}

const OBEDIENT = `
  if (order.do === "start") {
    console.error(JSON.stringify({ event: "hello", of: order.instance }));
    report({ is: "ready" });
  }
  if (order.do === "stop") Deno.exit(0);`;

/** A child under test, and everything that it told. */
function setUp(script: string, command = Deno.execPath()) {
  const told: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const path = Deno.makeTempFileSync({ suffix: ".js" });
  Deno.writeTextFileSync(path, script);
  const child = new Child({
    instance: "dns.0",
    command: () => ({
      command,
      args: ["run", "--quiet", "--no-config", "--no-check", "-A", path],
    }),
    start: () => order,
    events: {
      line: (line) => lines.push(JSON.parse(line)),
      event: (name, fields) =>
        told.push(
          name,
          ...("againInMs" in fields ? [`${fields["againInMs"]}`] : []),
        ),
      ready: () => told.push("ready"),
      cannotStart: () => told.push("cannot-start"),
      idle: () => told.push("idle"),
      stays: () => told.push("stays"),
      wants: (role) => told.push(`wants ${role}`),
    },
  });
  return { child, told, lines, end: () => Deno.remove(path) };
}

/** Waits until `claim` holds; fails after ten seconds. */
async function until(claim: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !claim();) {
    assert.ok(Date.now() < end, `waited too long for ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (
  const [failures, wantMs] of [
    [-1, 0],
    [0, 0],
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 16_000],
    [6, 32_000],
    [7, 60_000],
    [8, 60_000],
    [5_000, 60_000],
  ] as const
) {
  Deno.test(`restartDelayMs is ${wantMs} after ${failures} failures`, () => {
    assert.equal(restartDelayMs(failures), wantMs);
  });
}

Deno.test("Child starts a role, passes its log on, and stops it", async () => {
  const { child, told, lines, end } = setUp(role(OBEDIENT));
  assert.equal(child.facts.state, "dead");
  child.start();
  assert.equal(child.facts.state, "starting");
  await until(() => told.includes("ready"));
  assert.equal(child.facts.state, "ready");
  assert.ok(child.facts.pid! > 0);
  await child.stop(5_000);
  assert.equal(child.facts.state, "gone");
  assert.equal(child.facts.pid, null);
  assert.deepEqual(told, ["ready"], "not killed, not started again");
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!["role"], "dns.0");
  assert.equal(lines[0]!["of"], "dns.0");
  await end();
});

Deno.test("Child starts a killed role again, at once the first time", async () => {
  const { child, told, end } = setUp(role(OBEDIENT));
  child.start();
  await until(() => told.includes("ready"));
  const from = performance.now();
  process.kill(child.facts.pid!, "SIGKILL");
  await until(() => told.filter((one) => one === "ready").length === 2);
  assert.ok(performance.now() - from < 3_000);
  assert.deepEqual(told, ["ready", "role-died", "0", "ready"]);
  assert.equal(child.facts.restarts, 1);
  await child.stop(5_000);
  await end();
});

Deno.test("Child backs off when a role dies again and again", async () => {
  const { child, told, end } = setUp("Deno.exit(3);");
  child.start();
  await until(() => told.length === 6);
  assert.deepEqual(told, [
    ...["role-died", "0"],
    ...["role-died", "1000"],
    ...["role-died", "2000"],
  ]);
  await child.stop(1_000);
  assert.equal(child.facts.state, "gone");
  await end();
});

Deno.test("Child says when a role cannot start", async () => {
  const { child, told, end } = setUp(`Deno.exit(${EXIT_CANNOT_START});`);
  child.start();
  await until(() => told.length > 0);
  assert.equal(told[0], "cannot-start");
  await child.stop(1_000);
  await end();
});

Deno.test("Child survives a command that cannot be started", async () => {
  const { child, told, end } = setUp("", "/dev/null/deno");
  child.start();
  await until(() => told.length === 4);
  assert.deepEqual(told, ["role-died", "0", "role-died", "1000"]);
  await child.stop(1_000);
  await end();
});

Deno.test("Child kills a role that will not stop", async () => {
  const { child, told, end } = setUp(role(`report({ is: "ready" });`));
  child.start();
  await until(() => told.includes("ready"));
  await child.stop(100);
  assert.deepEqual(told, ["ready", "role-killed"]);
  await end();
});

for (
  const [name, script] of [
    ["a frame that is none", `Deno.stdout.writeSync(new Uint8Array(9));`],
    ["a report of another shape", `report({ is: "king" });`],
    [
      "a counter out of bounds",
      `report({ is: "pong", n: 0, counters: { a: -1 } });`,
    ],
    [
      "an endless report",
      `for (;;) Deno.stdout.writeSync(new Uint8Array(65536).fill(1));`,
    ],
  ] as const
) {
  Deno.test(`Child kills a role that reports ${name}`, async () => {
    const { child, told, end } = setUp(
      role(script + "await new Promise(() => setTimeout(() => {}, 1e6));"),
    );
    child.start();
    await until(() => told.includes("role-died"));
    assert.equal(told[0], "role-killed");
    await child.stop(2_000);
    await end();
  });
}

Deno.test("Child rests when it is told to, and wakes with what it had counted", async () => {
  const { child, told, end } = setUp(role(`
    if (order.do === "start") report({ is: "ready" });
    if (order.do === "ping") {
      report({ is: "pong", n: order.n, counters: { asked: 2 } });
    }
    if (order.do === "rest") Deno.exit(0);`));
  child.start();
  await until(() => told.includes("ready"));
  child.tell({ do: "ping", n: 0 });
  await until(() => child.facts.counters["asked"] === 2);
  child.rest();
  assert.equal(child.facts.state, "resting");
  child.wake(); // while its process still ends
  await until(() => told.filter((one) => one === "ready").length === 2);
  child.tell({ do: "ping", n: 0 });
  await until(() => child.facts.counters["asked"] === 4);
  child.rest();
  await until(() => child.facts.pid === null);
  assert.equal(child.facts.state, "resting");
  assert.equal(child.facts.restarts, 0, "no restart is counted");
  child.wake();
  await until(() => told.filter((one) => one === "ready").length === 3);
  child.rest();
  await until(() => child.facts.pid === null);
  await child.stop(1_000);
  assert.equal(child.facts.state, "gone");
  assert.deepEqual(told, ["ready", "ready", "ready"]);
  await end();
});

Deno.test("Child is ready again when a role that was told to rest is busy", async () => {
  const { child, told, end } = setUp(role(`
    if (order.do === "start") report({ is: "ready" });
    if (order.do === "rest") report({ is: "busy" });
    if (order.do === "stop") Deno.exit(0);`));
  child.start();
  await until(() => told.includes("ready"));
  assert.ok(child.rest());
  assert.ok(child.isAsleep);
  await until(() => told.includes("stays"));
  assert.equal(child.facts.state, "ready");
  assert.equal(child.rest(), false, "not at once again");
  await child.stop(1_000);
  assert.deepEqual(told, ["ready", "stays"]);
  await end();
});

Deno.test("Child starts a role again that was killed as it went to rest", async () => {
  const { child, told, end } = setUp(role(OBEDIENT));
  child.start();
  await until(() => told.includes("ready"));
  child.rest();
  assert.ok(child.wake());
  assert.equal(child.wake(), false, "once is enough");
  assert.equal(child.isAsleep, false);
  process.kill(child.facts.pid!, "SIGKILL");
  await until(() => told.filter((one) => one === "ready").length === 2);
  assert.deepEqual(told, ["ready", "role-died", "0", "ready"]);
  await child.stop(1_000);
  await end();
});
