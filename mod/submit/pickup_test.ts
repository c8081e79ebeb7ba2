import assert from "node:assert/strict";
import { newDropName } from "./drop_file.ts";
import type { DropFiles, FileFacts } from "./drop_files.ts";
import { Pickup } from "./pickup.ts";
import type { Taking } from "./taking.ts";

/** A directory of names and owners; what is taken, is gone. */
class FakeDrop implements DropFiles {
  readonly owners = new Map<string, number>();
  readonly taken: string[] = [];
  listings = 0;

  put(uid: number, atMs = 0): string {
    const name = newDropName(atMs);
    this.owners.set(name, uid);
    return name;
  }
  changedMs(): number {
    return this.owners.size;
  }
  list(): Promise<string[]> {
    this.listings++;
    return Promise.resolve([...this.owners.keys()].reverse());
  }
  look(name: string): FileFacts | undefined {
    const uid = this.owners.get(name);
    return uid === undefined ? undefined : {
      isFile: true,
      isDirectory: false,
      uid,
      gid: 0,
      links: 1,
      sizeBytes: 1,
      changedMs: 0,
      touchedMs: 0,
      identity: name,
    };
  }
  open(): "gone" {
    return "gone";
  }
  remove(name: string): boolean {
    return this.owners.delete(name);
  }
}

/** Runs pickup until `count` names had their turn. */
async function run(
  drop: FakeDrop,
  count: number,
  options: {
    say?: (name: string, nth: number) => Taking;
    limits?: { perOwner: number; inAll: number };
    begin?: (pickup: Pickup) => void;
  } = {},
): Promise<void> {
  let nth = 0;
  const pickup: Pickup = new Pickup({
    files: drop,
    count: () => {},
    ...(options.limits ? { limits: options.limits } : {}),
    take: (name) => {
      const taking = options.say?.(name, nth) ?? { is: "gone" };
      nth++;
      drop.taken.push(name);
      if (taking.is === "gone") drop.owners.delete(name);
      if (nth === count) pickup.stop();
      return Promise.resolve(taking);
    },
  });
  options.begin?.(pickup);
  await pickup.run();
}

Deno.test("Pickup takes an owner's oldest first", async () => {
  const drop = new FakeDrop();
  const late = drop.put(1, 2_000);
  const early = drop.put(1, 1_000);
  await run(drop, 2);
  assert.deepEqual(drop.taken, [early, late]);
});

Deno.test("Pickup lets one user's flood delay another's message by one", async () => {
  const drop = new FakeDrop();
  for (let i = 0; i < 9_000; i++) drop.put(1, i);
  const other = drop.put(2, 9_000_000);
  await run(drop, 3);
  assert.ok(drop.taken.slice(0, 2).includes(other));
});

Deno.test("Pickup removes what has no message's name, and a message does not wait for it", async () => {
  const drop = new FakeDrop();
  for (let i = 0; i < 3_000; i++) drop.owners.set(`junk${i}`, 1);
  drop.put(2);
  let junk = 0;
  await run(drop, 2, {
    say: (_, nth) => {
      if (nth === 0) {
        junk = drop.owners.size;
        setTimeout(() => drop.put(2), 500);
      }
      return { is: "gone" };
    },
  });
  assert.ok(junk > 2_900, `${junk} are left at the first message`);
  assert.equal(drop.owners.size, 0);
});

Deno.test("Pickup works off a flood that does not fit, listing again", async () => {
  const drop = new FakeDrop();
  for (let i = 0; i < 25; i++) drop.put(1, i);
  await run(drop, 25, { limits: { perOwner: 10, inAll: 100 } });
  assert.equal(drop.owners.size, 0);
  assert.equal(drop.listings, 3);
});

Deno.test("Pickup sees a name that appears, and lists nothing while none does", async () => {
  const drop = new FakeDrop();
  await run(drop, 1, {
    begin: () => void setTimeout(() => drop.put(1), 700),
  });
  assert.equal(drop.taken.length, 1);
  assert.equal(drop.listings, 2);
});

Deno.test("Pickup tries again what the roles behind it do not take", async () => {
  const drop = new FakeDrop();
  const name = drop.put(1);
  await run(drop, 2, {
    say: (_, nth) => nth === 0 ? { is: "later", why: "full" } : { is: "gone" },
  });
  assert.deepEqual(drop.taken, [name, name]);
});

Deno.test("Pickup removes a file that never stands still", async () => {
  const drop = new FakeDrop();
  drop.put(1);
  await run(drop, 5, { say: () => ({ is: "changing" }) });
  assert.equal(drop.owners.size, 0);
});
