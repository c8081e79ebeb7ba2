/** A whole backup and a whole restore, ended at every step. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { censusOf } from "../../mod/queue/copies_io.ts";
import { backUp } from "../../mod/supervisor/care/backup.ts";
import { careSite } from "../../mod/supervisor/care/jail.ts";
import { endRestore, restore } from "../../mod/supervisor/care/restore.ts";
import { readConfig } from "../../mod/supervisor/site_io.ts";
import { makePlaces, placesOf } from "../../mod/supervisor/home.ts";
import { pathsOf } from "../../mod/supervisor/plan.ts";
import { readFormat } from "../../mod/supervisor/care/format_file.ts";
import { verifyMail } from "../../mod/supervisor/care/verify.ts";
import { commit, forget, upgrade } from "../../mod/supervisor/care/upgrade.ts";
import {
  contentsOf,
  copied,
  Ender,
  oldHome,
  withoutJails,
  worldWithoutJails,
} from "./care_fixture.ts";

/** What a backup makes by the way, and what it leaves out. */
const PASSED_OVER =
  /^(run|runtime)(\/|$)|\.lock$|-(wal|shm)$|^queue\/(keys|reserve|.*db)|^gate|^events|\.sync$|^spool/;

/** A home of this program with mail in it. */
async function home(): Promise<string> {
  const made = await oldHome(3);
  const world = worldWithoutJails(made);
  const found = readFormat(made);
  assert.equal(found.kind, "none");
  if (found.kind === "none") await upgrade(world, found.format);
  await commit(world);
  await forget(world);
  makePlaces(placesOf(pathsOf(made)), null);
  // The roles' numbers are for root's homes.
  const config = `${made}/bulkhead.toml`;
  const text = Deno.readTextFileSync(config);
  Deno.writeTextFileSync(config, text.replace("uid_base = 62400", ""));
  return made;
}

function backedUp(
  at: string,
  target: string,
  ender: Ender,
  isStopped = () => false,
) {
  const read = readConfig(`${at}/bulkhead.toml`);
  assert.ok(read.ok);
  return backUp({
    site: careSite({
      config: read.config,
      accounts: null,
      programs: new Map(),
      ask: withoutJails,
    }),
    configPath: `${at}/bulkhead.toml`,
    target,
    withMail: true,
    say: () => {},
    isStopped,
    step: ender.step,
  });
}

function restored(source: string, to: string, ender: Ender) {
  return restore({
    source,
    home: to,
    replace: true,
    programs: new Map(),
    ask: withoutJails,
    accounts: null,
    say: () => {},
    lock: () => {},
    step: ender.step,
  });
}

Deno.test("verifyMail() tells of messages that were found damaged before", async () => {
  const made = await home();
  const read = readConfig(`${made}/bulkhead.toml`);
  assert.ok(read.ok);
  const site = careSite({
    config: read.config,
    accounts: null,
    programs: new Map(),
    ask: withoutJails,
  });
  const look = async () =>
    (await verifyMail({ site, deep: false, say: () => {} }))
      .filter(({ what }) => what === "contents");
  const [told, ...more] = await look();
  assert.match(told?.says ?? "", /^1 messages were damaged/);
  assert.equal(told?.ok, false);
  assert.deepEqual(more, []);
  const db = new DatabaseSync(`${made}/queue/queue.db`);
  db.exec("DELETE FROM messages WHERE state = 2");
  db.close();
  assert.deepEqual(await look(), []);
});

Deno.test("backUp() makes none in the home, and leaves nothing when it is stopped", async () => {
  const made = await home();
  for (const target of [`${made}/b`, `${made}/mail/b.tar`]) {
    await assert.rejects(backedUp(made, target, new Ender()), /lies in/);
  }
  const before = contentsOf(made, PASSED_OVER);
  await assert.rejects(
    backedUp(made, `${made}.tar`, new Ender(), () => true),
    /stopped/,
  );
  assert.deepEqual(contentsOf(made, PASSED_OVER), before);
  assert.equal(fs.existsSync(`${made}.tar.part`), false);
});

Deno.test("backUp() that ends at any step leaves no backup of that name and the home as it was; the next one is whole", async () => {
  const whole = await home();
  const steps = new Ender();
  await backedUp(await copied(whole), `${whole}.tar`, steps);
  assert.ok(steps.seen.length >= 8, steps.seen.join(" "));
  for (const how of ["dies", "throws"] as const) {
    for (let at = 0; at < steps.seen.length; at++) {
      const tried = await copied(whole);
      const before = contentsOf(tried, PASSED_OVER);
      const target = `${tried}.tar`;
      const ender = new Ender(at, how);
      const ended = await ender.run(
        backedUp(tried, target, ender).catch((error) => error as Error),
      );
      assert.ok(ended === "ended" || ended instanceof Error, steps.seen[at]);
      assert.equal(fs.existsSync(target), false);
      const made = await backedUp(tried, target, new Ender());
      assert.equal(made.messages, 6);
      assert.deepEqual(contentsOf(tried, PASSED_OVER), before);
      assert.equal(fs.existsSync(`${target}.part`), false);
    }
  }
});

Deno.test("restore() that ends at any step leaves the old home or the restored one, and the next start or try ends it", async () => {
  const whole = await home();
  const mail = censusOf(`${whole}/queue`).digest;
  const source = `${whole}.tar`;
  await backedUp(whole, source, new Ender());
  const wanted = contentsOf(whole, PASSED_OVER);
  const other = await home();
  Deno.writeTextFileSync(`${other}/users`, "other@home.test\n");
  const steps = new Ender();
  await restored(source, await copied(other), steps);
  assert.ok(steps.seen.length >= 15, steps.seen.join(" "));
  const turn = steps.seen.indexOf("switch");
  for (const how of ["dies", "throws"] as const) {
    for (let at = 0; at < steps.seen.length; at++) {
      // Behind the turn both are the same: nothing is cleaned up there.
      if (how === "throws" && at > turn) continue;
      const tried = await copied(other);
      const ender = new Ender(at, how);
      const ended = await ender.run(
        restored(source, tried, ender).catch((error) => error as Error),
      );
      const where = `${how} at ${steps.seen[at]}`;
      assert.ok(ended === "ended" || ended instanceof Error, where);
      const isEnded = await endRestore(tried);
      assert.equal(isEnded, at > turn, where);
      if (!isEnded) {
        const users = Deno.readTextFileSync(`${tried}/users`);
        assert.equal(users, "other@home.test\n", where);
        await restored(source, tried, new Ender());
      }
      assert.equal(censusOf(`${tried}/queue`).digest, mail, where);
      const got = contentsOf(tried, /^before-restore/);
      for (const [path, octets] of wanted) {
        assert.equal(got.get(path), octets, `${where}: ${path}`);
      }
      Deno.removeSync(tried, { recursive: true });
    }
  }
});
