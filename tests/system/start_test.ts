/**
 * README command 1: `deno task start` in a fresh checkout makes a server, says
 * where it is, and ends at Ctrl-C. Its ports are fixed: nothing else may hold
 * 2525 and 2528.
 */
import assert from "node:assert/strict";
import { mailIn } from "./mailbox.ts";
import { ROOT, run, STOP_WITHIN_MS, until } from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const READY_WITHIN_MS = 10_000;

const IN_CHECKOUT = [
  "README.md",
  "deno.json",
  "deno.lock",
  "main.ts",
  "mod",
  "scripts",
  "web",
];

Deno.test("deno task start makes a server, and Ctrl-C ends it", async (t) => {
  const dir = await Deno.makeTempDir({
    dir: "/tmp",
    prefix: "bulkhead-start-",
  });
  await Deno.chmod(dir, 0o755);
  const copied = await run("cp", [
    "-r",
    ...IN_CHECKOUT.map((name) => ROOT + name),
    dir,
  ]);
  assert.equal(copied.code, 0, copied.errors);
  const log = `${dir}/log`;

  try {
    for (const which of ["first", "second"]) {
      await t.step(`the ${which} start`, async () => {
        const began = performance.now();
        const child = start(dir, log);
        try {
          await until(
            "Bulkhead is ready",
            () => Deno.readTextFileSync(log).includes("stop  "),
            2 * READY_WITHIN_MS,
          ).catch((error) => {
            throw new Error(`${error.message}: ${Deno.readTextFileSync(log)}`);
          });
          const tookMs = performance.now() - began;
          assert.ok(tookMs < READY_WITHIN_MS, `ready in ${tookMs} ms`);
          const said = await Deno.readTextFile(log);
          assert.match(said, /me@home\.test by SMTP at 127\.0\.0\.1:2525/);
          const maildir = `${dir}/bulkhead-home/mail/home.test/me`;
          assert.ok(said.includes(`${maildir}/new`), said);
          assert.match(said, /http:\/\/127\.0\.0\.1:2528\//);
          assert.match(said, /stop +Ctrl-C/);

          const client = await SmtpClient.ready(2525);
          await client.transact("", ["me@home.test"], octets("A: b\r\n\r\n"));
          await client.quit();
          await mailIn(maildir, which === "first" ? 1 : 2);
        } finally {
          await interrupt(child, log);
        }
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Starts it as a shell would: in a process group of its own. */
function start(dir: string, log: string): Deno.ChildProcess {
  Deno.writeTextFileSync(log, "");
  return new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log]
      .concat([Deno.execPath(), "task", "start"]),
    cwd: dir,
    env: { NO_COLOR: "1" },
    stdin: "null",
    detached: true,
  }).spawn();
}

/** Ctrl-C: SIGINT for the whole group, roles and all. */
async function interrupt(child: Deno.ChildProcess, log: string): Promise<void> {
  const began = performance.now();
  Deno.kill(-child.pid, "SIGINT");
  const late = setTimeout(() => {
    Deno.kill(-child.pid, "SIGKILL");
  }, 2 * STOP_WITHIN_MS);
  const { code, signal } = await child.status;
  clearTimeout(late);
  const tookMs = performance.now() - began;
  const said = await Deno.readTextFile(log);
  assert.ok(tookMs < STOP_WITHIN_MS, `stopped in ${tookMs} ms: ${said}`);
  // The task runner may report the signal that it got; the server does not.
  assert.ok(code === 0 || code === 130 || signal === "SIGINT", `${code}`);
  await until("the end of the server", () => {
    try {
      Deno.connect({ port: 2525 }).then((one) => one.close(), () => {});
      return Deno.readTextFileSync(log).includes('"event":"stopped"');
    } catch {
      return false;
    }
  }, STOP_WITHIN_MS);
  assert.doesNotMatch(said, /role-died/, "no role died of it");
}
