/** A home of the first program, and this one's server: real roles, real jails. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { newFiles } from "./mailbox.ts";
import { NextHop } from "./next_hop.ts";
import {
  freePort,
  freePorts,
  Installation,
  IS_ROOT,
  until,
} from "./server_fixture.ts";

const FIXTURE = new URL("../upgrade/home-v1.tar.gz", import.meta.url).pathname;

/** Tokens that wait in it for `remote.test`; one more is damaged. */
const WAITING = ["t2", "t3", "t4", "t7", "t8"];

/** By the home's `roles.uid_base`. */
const GATE_UID = 62_411;

/** Unpacks it, with ports of its own and a next hop that there is. */
async function oldServer(hopPort: number): Promise<Installation> {
  const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "bulkhead-sys-" });
  await Deno.chmod(dir, 0o755);
  const { success } = await new Deno.Command("tar", {
    args: ["-C", dir, "--numeric-owner", "-xpzf", FIXTURE],
  }).output();
  assert.ok(success, "the old home is unpacked");
  const port = freePorts();
  const config = `${dir}/home/bulkhead.toml`;
  const before = Deno.readTextFileSync(config);
  const old = Number(/127\.0\.0\.1:(\d{4,5})/.exec(before)![1]);
  let text = before.replaceAll('127.0.0.1:1"', `127.0.0.1:${hopPort}"`);
  for (const more of [0, 1, 2, 3]) {
    text = text.replaceAll(
      `127.0.0.1:${old + more}`,
      `127.0.0.1:${port + more}`,
    );
  }
  Deno.writeTextFileSync(config, text);
  return new Installation(dir, `${dir}/home`, port);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("serve upgrades a home of the first program, goes back when it is not ready, and delivers every message once", async () => {
  const hop = new NextHop(freePort());
  await hop.listen();
  await using made = await oldServer(hop.port);
  const delivered = () =>
    ["me", "you"].flatMap((user) => newFiles(made.maildir(user))).sort();
  const before = delivered();
  assert.equal(before.length, 2);

  // A role that will not start: the gate, before a database of the future.
  const gate = `${made.home}/gate`;
  Deno.mkdirSync(gate);
  const db = new DatabaseSync(`${gate}/gate.db`);
  db.exec("PRAGMA user_version = 99");
  db.close();
  for (const path of IS_ROOT ? [gate, `${gate}/gate.db`] : []) {
    Deno.chownSync(path, GATE_UID, GATE_UID);
  }
  Deno.chmodSync(gate, 0o700);
  await assert.rejects(made.start());
  Deno.removeSync(gate, { recursive: true });
  const log = made.log();
  assert.match(log, /"event":"upgraded"/);
  assert.match(log, /the upgrade of .* was undone/);
  assert.equal(isThere(`${made.home}/format.json`), false);
  assert.equal(isThere(`${made.home}/upgrade.json`), false);
  assert.equal(isThere(`${made.home}/queue/before`), false);
  assert.equal(hop.taken.length, 0, "a server on trial delivers nothing");

  await made.start();
  assert.ok(made.events().some(({ event }) => event === "upgrade-well"));
  const retried = await made.command("queue", "retry", "ALL");
  // 1 if nothing was left to be done: by the clock all of it was due already.
  assert.ok(retried.code <= 1, retried.errors);
  await until("all that waited", () => hop.taken.length >= WAITING.length);
  const tokens = hop.taken.map(({ content }) =>
    /X-Token: (t\d)/.exec(new TextDecoder().decode(content))![1]
  );
  assert.deepEqual(tokens.sort(), WAITING);
  assert.deepEqual(delivered(), before);
  const checked = await made.command("verify", "--deep");
  // The one that was found damaged before, and nothing else.
  assert.deepEqual(
    checked.out.split("\n").filter((line) => line.startsWith("DAMAGED"))
      .map((line) => line.slice(0, 27)),
    ["DAMAGED contents: 1 message"],
    checked.out + checked.errors,
  );
  await made.stopCleanly();
  await hop.close();
});

Deno.test("serve refuses a home of a newer program in plain words, and changes nothing", async () => {
  await using made = await oldServer(1);
  Deno.writeTextFileSync(
    `${made.home}/format.json`,
    JSON.stringify({
      versions: {
        ...{ home: 9, config: 1, queue: 9, events: 9 },
        ...{ gate: 1, keys: 1, spool: 1, sts: 1 },
      },
      program: "9.9.9",
      places: ["attic"],
      roles: ["butler"],
    }),
  );
  const before = Deno.readFileSync(`${made.home}/queue/queue.db`);
  const ran = await made.command("serve");
  assert.equal(ran.code, 78);
  assert.match(ran.errors, /last used by bulkhead 9\.9\.9/);
  assert.match(ran.errors, /Start the newer program again/);
  assert.deepEqual(Deno.readFileSync(`${made.home}/queue/queue.db`), before);
});
