/** What a death left, and whether the end of it all is what the table says. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { ContentRef } from "../../../mod/core/shapes.ts";
import type { Edge, End, Finds, Leaves } from "../../../mod/recovery/edges.ts";
import { openDatabase } from "../../../mod/queue/database_io.ts";
import { listQueue } from "../../../mod/queue/inspect.ts";
import { KeyFile } from "../../../mod/queue/keys_io.ts";
import { Store } from "../../../mod/queue/store_io.ts";
import { sweep } from "../../../mod/queue/sweep.ts";
import { DamagedError, readContent } from "../../../mod/content/reader.ts";
import type { MemoryDisk } from "../../../mod/spool/memory_disk.ts";
import { fakeShred } from "../../../mod/spool/fake_shred.ts";
import { Spool } from "../../../mod/spool/spool.ts";
import { durableKeys } from "./synced_files.ts";
import { type Files, type Machine, SEGMENT_BYTES, tempDir } from "./machine.ts";
import { copiesOf } from "./scripts.ts";
import type { Mail, World } from "./world.ts";

const WITHIN_MS = 20_000;
/** It must look finished for so long, at every look. */
const CALM_LOOKS = 5;
const LOOK_MS = 20;
/** Longer than the spool's grace. */
const SETTLED_MS = 200_000;

/** Row, key and content of the first message in files that nobody has opened. */
export function leavesOf(
  files: Files,
  [mail, ...others]: readonly [Mail, ...Mail[]],
): { leaves: Leaves; finds: Finds } {
  const dir = tempDir();
  for (const { name } of Deno.readDirSync(files.queueDir)) {
    fs.copyFileSync(`${files.queueDir}/${name}`, `${dir}/${name}`);
  }
  const db = openDatabase(dir);
  const store = new Store(db, { add: () => {} });
  const keys = new KeyFile(`${dir}/keys`);
  const row = store.byId(mail.id);
  let isKeyed = false;
  for (let slot = 0; slot < keys.slots; slot++) {
    if (typeof keys.read(slot, mail.id) !== "string") isKeyed = true;
  }
  const swept = sweep({ store, keys, nowMs: Date.now(), furthestMs: 1e12 });
  // The key of a notice is of the message that it is about.
  const isOthers = (slot: number) =>
    others.some(({ id }) => typeof keys.read(slot, id) !== "string");
  const isOurs = (one: { id: string }) => one.id === mail.id;
  const finds: Finds = swept.strays.some((slot) => !isOthers(slot))
    ? "strayKeys"
    : swept.keyless.some(isOurs)
    ? "neverAcknowledged"
    : swept.unconfirmed.some(isOurs)
    ? "unconfirmed"
    : swept.corrupt.some(isOurs)
    ? "corrupt"
    : row?.state === "queued"
    ? "queued"
    : "nothing";
  keys.close();
  store.close();
  const ref = row?.ref ?? mail.stored?.ref;
  const content = isReadable(files.disk, ref, mail) ? "C" : "-";
  return {
    leaves: `${row?.state ?? "-"} ${isKeyed ? "K" : "-"} ${content}`,
    finds,
  };
}

function isReadable(
  disk: MemoryDisk,
  ref: ContentRef | undefined,
  { stored }: Mail,
): boolean {
  if (ref === undefined || stored === undefined) return false;
  const dir = tempDir();
  disk.dump(dir);
  try {
    for (const _octets of readContent(dir, ref, stored.key));
    return true;
  } catch (error) {
    const isSaid = error instanceof DamagedError ||
      error instanceof Deno.errors.NotFound;
    if (isSaid) return false;
    throw error;
  }
}

/** Waits until nothing more will happen, and compares with the table. */
export async function judge(
  machine: Machine,
  world: World,
  about: { edge: Edge; end: End; sent: Promise<void> | undefined },
): Promise<void> {
  const { edge, end } = about;
  const { script } = edge.reach;
  const kept = script === "damaged" ? 1 : 0;
  if (about.sent !== undefined) await within("a reply", about.sent);
  const liveSlots = () =>
    slotsIn(new Uint8Array(fs.readFileSync(`${machine.queueDir}/keys`)));
  await calm("an empty queue", () => {
    const listed = listQueue(machine.queueDir);
    return listed.length === kept &&
      listed.every(({ state }) => state === "corrupt") &&
      liveSlots() === kept;
  });
  const [mail] = world.mails;
  if (mail === undefined) {
    throw new RangeError("Cannot judge: nothing was sent");
  }
  assert.equal(mail.told ?? "-", end.told, "what the sender was told");
  const [least, most] = end.copies;
  for (const copy of copiesOf(script, mail)) {
    const copies = world.delivered.filter((one) => one === copy).length;
    assert.ok(
      copies >= least && copies <= most,
      `${copies} copies of ${copy} instead of ${least} to ${most}`,
    );
  }
  lostNothing(world, kept === 0);
  await leftNothing(machine, world, kept);
}

/** Whatever the table says: what was acknowledged was delivered. */
export function lostNothing(world: World, isDelivered: boolean): void {
  for (const { id, told } of world.mails) {
    if (told !== "250" || !isDelivered) continue;
    if (world.outcome("box@home.test").kind === "permanent") continue;
    const copies = world.delivered.filter((one) => one.startsWith(`${id} `));
    assert.ok(copies.length > 0, `${id} was acknowledged and is lost`);
  }
}

/** No row, key, record or sealed octet, and no segment that is not free. */
async function leftNothing(
  machine: Machine,
  world: World,
  kept: number,
): Promise<void> {
  world.skewMs += SETTLED_MS;
  machine.tellAgain();
  await calm("a free spool", () => {
    const { records, spentFiles } = machine.spoolFacts;
    return records === kept && spentFiles === 0;
  });
  const { queueDir, disk } = machine;
  await machine[Symbol.asyncDispose]();
  const db = new DatabaseSync(`${queueDir}/queue.db`);
  const rows = db.prepare("SELECT count(*) AS n FROM messages").get()?.["n"];
  db.close();
  assert.equal(rows, kept, "rows that stayed");
  assert.equal(slotsIn(durableKeys(queueDir)), kept, "keys that stayed");
  if (kept > 0) return;
  const memory = disk.memory.kill();
  await allFree(memory);
  noneReadable(memory, world);
}

function slotsIn(octets: Uint8Array): number {
  let slots = 0;
  for (let at = 0; at < octets.length; at += 64) {
    if (octets.subarray(at, at + 64).some((octet) => octet !== 0)) slots++;
  }
  return slots;
}

/** Of no sealed record is anything left, on whatever name. */
function noneReadable(memory: MemoryDisk, { mails }: World): void {
  for (const { name, sizeBytes } of memory.list()) {
    const octets = Buffer.alloc(sizeBytes);
    const file = memory.openExisting(name);
    file.readAt(octets, 0);
    file.close();
    for (const { id, sealed } of mails) {
      const isThere = sealed !== undefined &&
        octets.includes(Buffer.from(sealed));
      assert.ok(!isThere, `sealed octets of ${id} are left in ${name}`);
    }
  }
}

/** A spool that is told that nothing is in use finds every segment free. */
async function allFree(memory: MemoryDisk): Promise<void> {
  const spool = new Spool(memory, {
    segmentBytes: SEGMENT_BYTES,
    readySegments: 1,
    maxBytes: 40 * SEGMENT_BYTES,
    minFreeBytes: 0,
    wallMs: () => memory.nowMs + SETTLED_MS,
    shred: fakeShred(memory),
  });
  spool.open();
  spool.adopt([], { last: true, asker: "queue.0" });
  await calm("free segments only", () => {
    const names = memory.names();
    return spool.facts.readySegments === names.length &&
      names.every((name) => name.startsWith("pool-") && name.endsWith(".seg"));
  });
  await spool.close();
}

/** Resolves when `claim` holds and goes on to hold. */
export async function calm(what: string, claim: () => boolean): Promise<void> {
  const until = performance.now() + WITHIN_MS;
  for (let looks = 0; looks < CALM_LOOKS;) {
    looks = claim() ? looks + 1 : 0;
    if (performance.now() > until) throw new Error(`Cannot see: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** As `promise`, or an error that says what never came. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Cannot see: ${what}`)),
      WITHIN_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
