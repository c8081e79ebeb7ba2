/** The log's overwriting: killed at every step, cut off in the middle, read meanwhile. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "./database_io.ts";
import { tempDir } from "./laboratory.ts";
import { Store } from "./store_io.ts";
import { type Scrubbed, WriteAheadLog } from "./write_ahead_log_io.ts";
import { KEPT } from "./write_ahead_log_victim.ts";

const VICTIM = new URL("write_ahead_log_victim.ts", import.meta.url).pathname;

/** Reads the database over and over, as `bulkhead queue list` does. */
const READER = `
  import { DatabaseSync } from "node:sqlite";
  for (;;) {
    try {
      const db = new DatabaseSync(Deno.args[0], { readOnly: true });
      const messages = db.prepare("SELECT n, sender FROM messages").all();
      const rows = db.prepare("SELECT message, address FROM recipients").all();
      db.close();
      for (const { n, sender } of messages) {
        if (sender !== \`zq7-\${n}@sender.test\`) throw new Error("WRONG");
      }
      for (const { message, address } of rows) {
        if (!address.endsWith(message + "@home.test")) throw new Error("WRONG");
      }
      console.log(messages.length);
    } catch (error) {
      if (error.message === "WRONG" || error.errcode === 11) throw error;
    }
  }
`;

function startReader(path: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", READER, path],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const STEPS: { step: string; times: number }[] = [
  { step: "before", times: 3 },
  { step: "gaps wiped", times: 1 },
  { step: "gaps wiped", times: 9 },
  { step: "written back", times: 1 },
  { step: "written back", times: 12 },
  { step: "restarted", times: 1 },
  { step: "restarted", times: 11 },
  { step: "overwriting", times: 1 },
  { step: "overwriting", times: 10 },
  { step: "overwritten and synced", times: 2 },
  { step: "emptied", times: 3 },
];

for (const { step, times } of STEPS) {
  Deno.test(`WriteAheadLog loses no commit when it is killed at "${step}", the ${times}. time, with a reader beside it`, async () => {
    const dir = tempDir();
    openDatabase(dir).close();
    const reader = startReader(`${dir}/queue.db`);
    const victim = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", VICTIM, dir, step, `${times}`],
    }).output();
    reader.kill("SIGKILL");
    const read = await reader.output();
    assert.equal(victim.signal, "SIGKILL", "it came that far");
    const errors = new TextDecoder().decode(read.stderr);
    assert.equal(errors, "", "the reader saw nothing wrong");
    assert.ok(read.stdout.length > 0, "the reader read");
    const said = new TextDecoder().decode(victim.stdout).trim().split("\n");
    check(`${dir}/queue.db`, Number(said.at(-1)));
  });
}

/** Whole, and with exactly the messages up to `last`. */
function check(path: string, last: number, more = ""): void {
  const db = new DatabaseSync(path);
  const { integrity_check } = db.prepare("PRAGMA integrity_check").get()!;
  assert.equal(integrity_check, "ok", more);
  const found = db.prepare("SELECT n FROM messages ORDER BY n").all()
    .map(({ n }) => Number(n));
  const recipients = db.prepare(
    "SELECT message, count(*) AS c FROM recipients GROUP BY message",
  ).all();
  db.close();
  const first = Math.max(1, last - KEPT + 1);
  const want = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  assert.deepEqual(found, want, more);
  assert.deepEqual(
    recipients.map(({ message, c }) => [Number(message), Number(c)]),
    want.map((n) => [n, 1 + n % 9]),
    more,
  );
}

interface Image {
  readonly step: string;
  readonly db: Buffer;
  readonly wal: Buffer;
}

// By other processes: closing the files in this one drops SQLite's locks.
function imageOf(dir: string, step: string): Image {
  const read = (name: string) =>
    Buffer.from(
      new Deno.Command("cat", { args: [`${dir}/${name}`] }).outputSync().stdout,
    );
  return { step, db: read("queue.db"), wal: read("queue.db-wal") };
}

/** Each sector from the one or the other, as a disk without order has it. */
function mix(old: Buffer, young: Buffer, random: () => number): Buffer {
  const mixed = Buffer.from(young);
  for (let at = 0; at < Math.min(old.length, young.length); at += 512) {
    if (random() < 0.5) old.copy(mixed, at, at, at + 512);
  }
  return mixed;
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

Deno.test("WriteAheadLog loses no commit when the power fails while it overwrites, whatever sectors reached the disk", async () => {
  const dir = tempDir();
  const db = openDatabase(dir);
  const store = new Store(db, { add: () => {} });
  const log = new WriteAheadLog(db, `${dir}/queue.db`);
  const { commit } = await import("./write_ahead_log_victim.ts");
  const images: Image[] = [];
  let last = 0;
  for (let n = 1; n <= 400; n++) {
    commit(store, n);
    if (n === 385) {
      log.onStep = (step) => images.push(imageOf(dir, step));
      last = n;
      assert.equal(await log.scrub(), "done");
      images.push(imageOf(dir, "synced"));
      log.onStep = () => {};
    }
  }
  store.close();
  log.close();
  assert.deepEqual([...new Set(images.map(({ step }) => step))], [
    "wiping gaps",
    "gaps wiped",
    "before",
    "written back",
    "restarted",
    "overwriting",
    "synced",
  ]);
  const at = (step: string) => images.find((image) => image.step === step)!;
  const start = at("wiping gaps");
  const writtenBack = at("written back");
  const restarted = at("restarted");
  const end = at("synced");
  assert.notDeepEqual(restarted.wal, end.wal, "something was overwritten");
  assert.notDeepEqual(start.db, end.db, "and gaps were zeroed");
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const cut = tempDir();
    await Deno.writeFile(
      `${cut}/queue.db`,
      mix(start.db, end.db, random),
    );
    await Deno.writeFile(
      `${cut}/queue.db-wal`,
      mix(restarted.wal, end.wal, random),
    );
    check(`${cut}/queue.db`, last, `seed ${seed}`);
    // Without the frame of the touch, which nobody syncs before the end.
    const wal = mix(writtenBack.wal, end.wal, random);
    end.wal.copy(wal, 0, 0, 512);
    await Deno.writeFile(`${cut}/queue.db-wal`, wal);
    await Deno.writeFile(`${cut}/queue.db`, mix(start.db, end.db, random));
    check(`${cut}/queue.db`, last, `seed ${seed}, header only`);
    await Deno.remove(cut, { recursive: true });
  }
});

Deno.test("WriteAheadLog overwrites nothing while a reader uses the log, and all of it afterwards", async () => {
  const dir = tempDir();
  const db = openDatabase(dir);
  const store = new Store(db, { add: () => {} });
  const log = new WriteAheadLog(db, `${dir}/queue.db`);
  const { commit } = await import("./write_ahead_log_victim.ts");
  for (let n = 1; n <= 40; n++) commit(store, n);
  const reader = new DatabaseSync(`${dir}/queue.db`, { readOnly: true });
  reader.exec("BEGIN");
  const count = () =>
    reader.prepare("SELECT count(*) AS n FROM messages").get()!["n"];
  assert.equal(count(), KEPT);
  commit(store, 41);
  const before = imageOf(dir, "");
  const busy: Scrubbed = await log.scrub();
  assert.equal(busy, "busy");
  assert.deepEqual(imageOf(dir, "").wal, before.wal, "the log is as it was");
  assert.equal(log.empty(), "busy");
  assert.equal(count(), KEPT, "the reader reads on");
  reader.exec("COMMIT");
  assert.equal(await log.scrub(), "done");
  const after = imageOf(dir, "");
  assert.equal(after.wal.length, before.wal.length, "in place");
  assert.ok(before.wal.includes("zq7-3@"));
  assert.ok(!after.wal.includes("zq7-"));
  assert.ok(!after.db.includes("zq7-3@") && after.db.includes("zq7-30@"));
  commit(store, 42);
  assert.equal(log.empty(), "done");
  assert.equal(log.sizeBytes, 0);
  reader.close();
  store.close();
  log.close();
  check(`${dir}/queue.db`, 42);
});
