/**
 * Makes the old homes that the tests of upgrades begin with, by running the
 * programs of their time:
 *
 *     git worktree add --detach /tmp/old COMMIT
 *     deno run -A tests/upgrade/make_old_home.ts /tmp/old home-v1.tar.gz
 *
 * | file           | commit  | of what time                                     |
 * | -------------- | ------- | ------------------------------------------------ |
 * | home-v1.tar.gz | 2086ef4 | the first program: segments in `spool/`, the     |
 * |                |         | history in the queue's database, passwords in    |
 * |                |         | `users`, no gate, auth, shred, sts               |
 * | home-v2.tar.gz | 60e85f6 | the history in a database of its own             |
 * | home-v3.tar.gz | b29cd8e | wishes, holds                                    |
 *
 * In each: two messages delivered; four to a next hop that is away, deferred,
 * one of them with two recipients; two that were taken a moment before the
 * server was killed, whose rows are `incoming`; one that is marked as damaged.
 * Each says its name in its first field, `X-Token: tN`.
 */
import { DatabaseSync } from "node:sqlite";
import { SmtpClient } from "../system/smtp_client.ts";
import { mergeSettings } from "../system/settings_text.ts";
import { delay, freePorts } from "../system/server_fixture.ts";

const [checkout, out] = Deno.args as [string, string];
const DENO = Deno.execPath();
const dir = Deno.makeTempDirSync({ prefix: "bulkhead-old-" });
Deno.chmodSync(dir, 0o755);
const home = `${dir}/home`;
const ports = freePorts();
// Nobody listens there.
const dead = 1;
Deno.writeTextFileSync(`${dir}/pw`, "a password\n");

async function old(...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(DENO, {
    args: ["run", "-A", `${checkout}/main.ts`, ...args],
    cwd: checkout,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

await old(
  ...["init", home, "--hostname", "mx.home.test", "--domain", "home.test"],
  ...["--ports", String(ports), "--password-file", `${dir}/pw`],
  ...["--user", "me", "--user", "you"],
  ...["--route", `remote.test=127.0.0.1:${dead}`],
);
const config = `${home}/bulkhead.toml`;
const before = Deno.readTextFileSync(config)
  .replace(/^\[roles\][^[]*/m, "");
Deno.writeTextFileSync(
  config,
  mergeSettings(
    before,
    `
[queue]
first_retry = "1h"
max_retry = "2h"
min_free = "1MiB"
[spool]
segment_size = "64KiB"
ready_segments = 1
min_free = "1MiB"
[roles]
uid_base = 62400
`,
  ),
);
await old("init", home, "--hostname", "mx.home.test", "--domain", "home.test");

function serve(): Deno.ChildProcess {
  return new Deno.Command(DENO, {
    args: ["run", "-A", `${checkout}/main.ts`, "serve", "--config", config],
    cwd: checkout,
    stderr: "inherit",
    stdout: "null",
  }).spawn();
}

async function isReady(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    await delay(100);
    try {
      const path = `${home}/run/status.json`;
      if (JSON.parse(Deno.readTextFileSync(path)).ready) return;
    } catch {
      // not yet
    }
  }
  throw new Error("Nobody answers");
}

async function send(token: string, ...to: string[]): Promise<string> {
  const client = await SmtpClient.ready(ports);
  const text =
    `X-Token: ${token}\r\nSubject: ${token}\r\n\r\nThis is ${token}.\r\n`;
  const id = await client.transact(
    "sender@far.test",
    to,
    new TextEncoder().encode(text),
  );
  await client.quit();
  return id;
}

const first = serve();
await isReady();
await send("t0", "me@home.test");
await send("t1", "you@home.test");
await send("t2", "far@remote.test");
await send("t3", "far@remote.test", "farther@remote.test");
await send("t4", "far@remote.test");
await send("t5", "far@remote.test");
const broken = await send("t6", "me@elsewhere.remote.test").catch(() => "");
await delay(3_000);
first.kill("SIGTERM");
await first.status;
const db = new DatabaseSync(`${home}/queue/queue.db`);
const corrupt = broken === ""
  ? db.prepare("SELECT id FROM messages ORDER BY n DESC LIMIT 1").get()!["id"]
  : broken;
db.prepare("UPDATE messages SET state = 2, due_ms = -1 WHERE id = ?")
  .run(String(corrupt));
db.exec(
  "UPDATE recipients SET state = 5 WHERE message IN " +
    "(SELECT n FROM messages WHERE state = 2)",
);
db.close();
Deno.removeSync(`${home}/run/status.json`);
const second = serve();
await isReady();
await send("t7", "far@remote.test");
await send("t8", "far@remote.test");
// Before the mark that makes them `queued` rides on a later commit.
second.kill("SIGKILL");
await second.status;
await delay(7_000); // its roles notice
Deno.removeSync(`${home}/runtime`, { recursive: true });
Deno.mkdirSync(`${home}/runtime`);
const check = new DatabaseSync(`${home}/queue/queue.db`, { readOnly: true });
console.log(
  check.prepare("PRAGMA user_version").get(),
  check.prepare("SELECT id, state, due_ms FROM messages").all(),
  check.prepare("SELECT message, address, state FROM recipients").all(),
);
check.close();
const tar = await new Deno.Command("tar", {
  args: ["-C", dir, "-czf", out, "--numeric-owner", "--exclude=home/run/*"]
    .concat("--exclude=home/queue/reserve", "home"),
}).output();
if (!tar.success) throw new Error(new TextDecoder().decode(tar.stderr));
Deno.removeSync(dir, { recursive: true });
