import assert from "node:assert/strict";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FORMATS } from "../../mod/core/formats.ts";
import { censusOf } from "../../mod/queue/copies_io.ts";
import { pathsOf } from "../../mod/supervisor/plan.ts";
import {
  contentsOf,
  copied,
  Ender,
  oldHome,
  worldWithoutJails,
} from "./care_fixture.ts";
import {
  readFormat,
  standingOf,
} from "../../mod/supervisor/care/format_file.ts";
import {
  commit,
  forget,
  leftBy,
  undo,
  upgrade,
  UpgradeRefused,
} from "../../mod/supervisor/care/upgrade.ts";
import { readJournal } from "../../mod/supervisor/care/upgrade_journal.ts";

const VERSIONS = [1, 3];

/** What an older program passes over, and what SQLite makes by the way. */
const PASSED_OVER =
  /^(queue\/queue\.db-(wal|shm)|auth(\/|$)|events\/(words\.key|events\.db-(wal|shm))|users\.lock|gate|sts|spool\/(segments|spent)$)/;

function formatOf(home: string) {
  const found = readFormat(home);
  assert.notEqual(found.kind, "unreadable");
  return (found as Extract<typeof found, { kind: "found" }>).format;
}

/** What `serve` does with a home, with the trial's end given. */
async function start(
  home: string,
  { ender = new Ender(), isReady = true }: {
    ender?: Ender;
    isReady?: boolean;
  } = {},
): Promise<"well" | "undone" | "refused"> {
  const world = worldWithoutJails(home, { ender });
  const paths = pathsOf(home);
  const left = leftBy(readJournal(home));
  if (left === "undo") await undo(world);
  const standing = standingOf(formatOf(home), paths);
  if (left === "forget" && standing.kind === "older") await forget(world);
  if (standing.kind === "older") {
    try {
      await upgrade(world, formatOf(home));
    } catch (error) {
      if (error instanceof UpgradeRefused) return "refused";
      throw error;
    }
    if (!isReady) {
      await undo(world);
      return "undone";
    }
    await commit(world);
  }
  if (readJournal(home) !== undefined) await forget(world);
  return "well";
}

/** Nothing of an upgrade is left, and the home says what it said before. */
function assertUpgraded(home: string, mail: string): void {
  const dir = `${home}/queue`;
  assert.equal(censusOf(dir).digest, mail, "what the queue says of its mail");
  assert.equal(censusOf(dir).version, FORMATS.queue);
  assert.equal(standingOf(formatOf(home), pathsOf(home)).kind, "same");
  for (
    const gone of ["upgrade.json", "before", "queue/next", "queue/before"]
      .concat("events/next", "events/before")
  ) {
    assert.equal(fs.existsSync(`${home}/${gone}`), false, gone);
  }
}

for (const version of VERSIONS) {
  Deno.test(`upgrade() of a version ${version} home keeps all mail, every key and every content`, async () => {
    const home = await oldHome(version);
    const mail = censusOf(`${home}/queue`);
    assert.equal(mail.version, version);
    assert.equal(mail.messages, 6);
    const before = contentsOf(home, /^(?!(queue\/keys|spool\/|mail\/))/);
    assert.equal(await start(home), "well");
    assertUpgraded(home, mail.digest);
    const after = contentsOf(home, /^(?!(queue\/keys|spool\/|mail\/))/);
    for (const [path, octets] of before) {
      const now = path.replace(/^spool\/pool/, "spool/segments/pool");
      assert.equal(after.get(now), octets, path);
    }
    const events = new DatabaseSync(`${home}/events/events.db`);
    const { n } = events.prepare("SELECT count(*) AS n FROM events").get()!;
    events.close();
    assert.ok(Number(n) > 0, "the history was taken over");
  });

  Deno.test(`upgrade() of a version ${version} home is undone to the octet when the new server is not ready`, async () => {
    const home = await oldHome(version);
    const mail = censusOf(`${home}/queue`);
    const before = contentsOf(home, PASSED_OVER);
    assert.equal(await start(home, { isReady: false }), "undone");
    assert.deepEqual(censusOf(`${home}/queue`), mail);
    const after = contentsOf(home, PASSED_OVER);
    assert.deepEqual([...after.keys()], [...before.keys()]);
    for (const [path, octets] of before) {
      // SQLite counts how often its file was written.
      if (!path.endsWith(".db")) assert.equal(after.get(path), octets, path);
    }
  });

  // Each way once: the steps are the same, and time is dear.
  for (const how of version === 1 ? ["dies" as const] : ["throws" as const]) {
    Deno.test(`upgrade() of a version ${version} home loses nothing when it ${how} at any step, and the next start ends it`, async () => {
      const whole = await oldHome(version);
      const mail = censusOf(`${whole}/queue`).digest;
      const steps = new Ender();
      await start(await copied(whole), { ender: steps });
      assert.ok(steps.seen.length > 15, steps.seen.join(" "));
      for (let at = 0; at < steps.seen.length; at++) {
        const home = await copied(whole);
        const ender = new Ender(at, how);
        const ended = await ender.run(
          start(home, { ender }).catch((error) => error as Error),
        );
        const where = `${how} at ${steps.seen[at]}`;
        assert.notEqual(ended, "well", where);
        assert.equal(await start(home), "well", where);
        assertUpgraded(home, mail);
        Deno.removeSync(home, { recursive: true });
      }
    });
  }

  Deno.test(`undo() of a version ${version} home may die at any step`, async () => {
    const whole = await oldHome(version);
    const mail = censusOf(`${whole}/queue`);
    const steps = new Ender();
    await start(await copied(whole), { ender: steps, isReady: false });
    const first = steps.seen.indexOf("undo-switch");
    for (let at = first; at < steps.seen.length; at++) {
      const home = await copied(whole);
      const ender = new Ender(at);
      const ended = await ender.run(start(home, { ender, isReady: false }));
      assert.equal(ended, "ended", steps.seen[at]);
      assert.equal(await start(home, { isReady: false }), "undone");
      assert.deepEqual(censusOf(`${home}/queue`), mail, steps.seen[at]);
      Deno.removeSync(home, { recursive: true });
    }
  });
}

Deno.test("undo() keeps the new state when its mail is another than before", async () => {
  const home = await oldHome(3);
  const world = worldWithoutJails(home);
  await upgrade(world, formatOf(home));
  const db = new DatabaseSync(`${home}/queue/queue.db`);
  db.exec("UPDATE recipients SET attempts = attempts + 1 WHERE state = 2");
  db.close();
  const mail = censusOf(`${home}/queue`).digest;
  assert.equal(await undo(world), false);
  assert.equal(readJournal(home)?.stage, "well");
  assert.equal(await start(home), "well");
  await forget(world).catch(() => {});
  assert.equal(censusOf(`${home}/queue`).digest, mail);
});

const REFUSALS: {
  name: string;
  spoil: (home: string) => void;
  want: RegExp;
}[] = [
  {
    name: "the queue's database is damaged",
    spoil: (home) => {
      const path = `${home}/queue/queue.db`;
      const octets = Deno.readFileSync(path).fill(0xa5, 4_096);
      Deno.writeFileSync(path, octets);
    },
    want: /queue\.db/,
  },
  {
    name: "it is missing while there are keys",
    spoil: (home) => Deno.removeSync(`${home}/queue/queue.db`),
    want: /missing/,
  },
  {
    name: "the keys of its messages are missing",
    spoil: (home) => Deno.removeSync(`${home}/queue/keys`),
    want: /keys: it is missing/,
  },
  {
    name: "no content is there",
    spoil: (home) => {
      for (const dir of ["spool", "spool/segments"]) {
        if (!fs.existsSync(`${home}/${dir}`)) continue;
        for (const { name, isFile } of Deno.readDirSync(`${home}/${dir}`)) {
          if (isFile) Deno.removeSync(`${home}/${dir}/${name}`);
        }
      }
    },
    want: /disk not mounted/,
  },
  {
    name: "a directory that the older program had is gone",
    spoil: (home) => Deno.removeSync(`${home}/queue`, { recursive: true }),
    want: /queue is missing/,
  },
];

for (const { name, spoil, want } of REFUSALS) {
  Deno.test(`upgrade() refuses and changes nothing when ${name}`, async () => {
    const home = await oldHome(1);
    spoil(home);
    const before = contentsOf(home, PASSED_OVER);
    await assert.rejects(
      upgrade(worldWithoutJails(home), formatOf(home)),
      (error) =>
        error instanceof UpgradeRefused && want.test(error.faults.join()),
    );
    const after = contentsOf(home, /^(queue|events)\/next/);
    for (const [path, octets] of before) {
      assert.equal(after.get(path), octets, path);
    }
    assert.equal(readJournal(home), undefined);
  });
}

Deno.test("upgrade() refuses when the disk has no room for copies", async () => {
  const home = await oldHome(1);
  const world = { ...worldWithoutJails(home), freeBytes: () => 1_000_000 };
  await assert.rejects(upgrade(world, formatOf(home)), /make room/);
});

Deno.test("upgrade() is undone when the new program does not take the configuration", async () => {
  const home = await oldHome(3);
  const mail = censusOf(`${home}/queue`);
  const world = worldWithoutJails(home, { check: () => ["line 7: no"] });
  await assert.rejects(upgrade(world, formatOf(home)), /line 7: no/);
  assert.deepEqual(censusOf(`${home}/queue`), mail);
  assert.equal(readJournal(home), undefined);
});
