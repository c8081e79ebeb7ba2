import assert from "node:assert/strict";
import type { OpenContent } from "./content.ts";
import type { Delivery } from "./draft_writer.ts";
import {
  allAtOnce,
  type Durability,
  fileByFile,
  inPlace,
} from "./durability.ts";
import type { Failure } from "./failure.ts";
import {
  contentOf,
  deliveryTo,
  headFor,
  MESSAGE,
  STORED,
  toolsOn,
} from "./fake_delivery.ts";
import { FakeFiles } from "./fake_files.ts";
import { runRound } from "./round.ts";

const WAYS: {
  name: string;
  way: (files: FakeFiles) => Durability;
  deliveries: () => Delivery[];
}[] = [
  {
    name: "file by file",
    way: (files) => fileByFile(files),
    deliveries: () => [deliveryTo("a", "b")],
  },
  {
    name: "in place",
    way: (files) => inPlace(files),
    deliveries: () => [deliveryTo("a", "b")],
  },
  {
    name: "all at once",
    way: (files) => allAtOnce(files, files),
    deliveries: () => [
      deliveryTo("a", "b"),
      deliveryTo("a"),
      deliveryTo("c"),
    ],
  },
];

/** Runs a round and returns every recipient's outcome with its user. */
async function deliver(
  files: FakeFiles,
  options: {
    way: Durability;
    deliveries: Delivery[];
    content?: OpenContent | undefined;
  },
) {
  const tools = toolsOn(files, "/mail", options.content);
  const results = await runRound(options.deliveries, tools, options.way);
  return results.flatMap((result, i) =>
    result.kind === "damaged" ? [] : result.outcomes.map((outcome, j) => ({
      user: options.deliveries[i]!.recipients[j]!.mailbox.user,
      outcome,
    }))
  );
}

function stored(files: FakeFiles, user: string, place = "new"): string[] {
  return [...files.within(`/mail/home.test/${user}/${place}`).values()].map(
    (file) => new TextDecoder().decode(Uint8Array.from(file.octets)),
  );
}

for (const { name, way, deliveries } of WAYS) {
  Deno.test(`runRound() delivers ${name}, at every cut of the content`, async () => {
    for (let cut = 1; cut <= MESSAGE.length; cut++) {
      const files = new FakeFiles("/mail");
      const came = await deliver(files, {
        way: way(files),
        deliveries: deliveries(),
        content: contentOf(MESSAGE, cut),
      });
      for (const { user, outcome } of came) {
        assert.equal(outcome.kind, "delivered");
        const texts = stored(files, user);
        assert.equal(texts.length, came.filter((c) => c.user === user).length);
        for (const text of texts) {
          assert.equal(text, headFor(`${user}@home.test`) + STORED);
        }
        assert.deepEqual(stored(files, user, "tmp"), []);
      }
      assert.equal(files.unsynced.has("/mail"), false);
    }
  });

  Deno.test(`runRound() says S= as it is, ${name}`, async () => {
    const files = new FakeFiles("/mail");
    await deliver(files, { way: way(files), deliveries: deliveries() });
    const [named] = files.within("/mail/home.test/b/new");
    const [fileName, file] = named!;
    assert.ok(fileName.endsWith(`,S=${file.octets.length}`), fileName);
  });

  Deno.test(`runRound() is honest ${name}, whichever call fails`, async () => {
    let runs = 0;
    for (const wholeSyncIs of ["failed", "unknown"] as const) {
      for (let failAt = 1;; failAt++) {
        const files = new FakeFiles("/mail");
        files.failAt = failAt;
        files.wholeSyncIs = wholeSyncIs;
        const came = await deliver(files, {
          way: way(files),
          deliveries: deliveries(),
        });
        if (files.calls.length < failAt) break;
        runs++;
        checkHonest(files, came, files.calls[failAt - 1]!);
      }
    }
    assert.ok(runs > 20, `${runs}`);
  });
}

/** The promises that hold whatever went wrong. */
function checkHonest(
  files: FakeFiles,
  came: Awaited<ReturnType<typeof deliver>>,
  failed: string,
): void {
  const users = new Map<string, number>();
  for (const { user, outcome } of came) {
    assert.notEqual(outcome.kind, "permanent", failed);
    if (outcome.kind === "delivered") {
      users.set(user, (users.get(user) ?? 0) + 1);
    }
  }
  for (const user of ["a", "b", "c"]) {
    const box = `/mail/home.test/${user}`;
    const texts = stored(files, user);
    for (const text of texts) {
      assert.equal(text, headFor(`${user}@home.test`) + STORED, failed);
    }
    for (const file of files.within(`${box}/new`).values()) {
      assert.ok(file.isSynced && !file.isLost, `${failed}: unsynced in new`);
    }
    const delivered = users.get(user) ?? 0;
    assert.equal(texts.length, delivered, `${failed}: ${user}`);
    if (delivered > 0) {
      const paths = [`${box}/new`, box, "/mail/home.test", "/mail"];
      for (const path of paths) {
        assert.ok(!files.unsynced.has(path), `${failed}: ${path} not synced`);
      }
    }
    assert.deepEqual(stored(files, user, "tmp"), [], `${failed}: left in tmp`);
  }
  for (const file of files.files.values()) assert.ok(!file.isOpen, failed);
}

const MEANINGS: { kind: Failure["kind"]; code: number; enhanced: string }[] = [
  { kind: "full", code: 452, enhanced: "4.3.1" },
  { kind: "quota", code: 452, enhanced: "4.2.2" },
  { kind: "denied", code: 451, enhanced: "4.3.0" },
  { kind: "broken", code: 451, enhanced: "4.3.0" },
  { kind: "exists", code: 451, enhanced: "4.3.0" },
];

for (const { kind, code, enhanced } of MEANINGS) {
  for (const call of ["create", "write", "sync", "rename"]) {
    Deno.test(`runRound() says ${code} ${enhanced} when ${call} says ${kind}`, async () => {
      const files = new FakeFiles("/mail");
      files.broken.add(call);
      files.failWith = { kind, why: "injected" };
      const [one] = await deliver(files, {
        way: fileByFile(files),
        deliveries: [deliveryTo("a")],
      });
      assert.equal(one!.outcome.kind, "temporary");
      assert.equal(one!.outcome.code, code);
      assert.equal(one!.outcome.enhanced, enhanced);
      assert.equal(files.files.size, 0);
    });
  }
}

Deno.test("runRound() refuses a loop for its own recipient only", async () => {
  const files = new FakeFiles("/mail");
  const came = await deliver(files, {
    way: fileByFile(files),
    deliveries: [deliveryTo("a", "b")],
    content: contentOf("Delivered-To: A@home.test\r\n\r\n", 3),
  });
  assert.equal(came[0]!.outcome.kind, "permanent");
  assert.equal(came[0]!.outcome.code, 554);
  assert.equal(came[0]!.outcome.enhanced, "5.4.6");
  assert.deepEqual(stored(files, "a"), []);
  assert.deepEqual(stored(files, "a", "tmp"), []);
  assert.equal(came[1]!.outcome.kind, "delivered");
});

Deno.test("runRound() delivers nothing of a damaged message", async () => {
  const files = new FakeFiles("/mail");
  let steps = 0;
  const content: OpenContent = () => ({
    next: () =>
      ++steps % 2 === 1
        ? { kind: "octets", octets: new TextEncoder().encode("A: b\r\n") }
        : { kind: "damaged", why: "torn" },
    close() {},
  });
  const tools = toolsOn(files, "/mail", content);
  const way = allAtOnce(files, files);
  const came = await runRound([deliveryTo("a", "b")], tools, way);
  assert.deepEqual(came, [{ kind: "damaged", why: "torn" }]);
  assert.equal(files.files.size, 0);
});

Deno.test("runRound() puts off a message that cannot be read now", async () => {
  const files = new FakeFiles("/mail");
  const came = await deliver(files, {
    way: fileByFile(files),
    deliveries: [deliveryTo("a", "b")],
    content: () => ({
      next: () => ({ kind: "failed", failure: { kind: "broken", why: "EIO" } }),
      close() {},
    }),
  });
  assert.deepEqual(came.map((c) => c.outcome.code), [451, 451]);
  assert.equal(files.files.size, 0);
});

Deno.test("runRound() makes a mailbox again that went away while we knew it", async () => {
  const files = new FakeFiles("/mail");
  const tools = toolsOn(files, "/mail");
  await runRound([deliveryTo("a")], tools, fileByFile(files));
  for (const path of [...files.directories]) {
    if (path !== "/mail") files.directories.delete(path);
  }
  files.files.clear();
  const came = await runRound([deliveryTo("a")], tools, fileByFile(files));
  assert.ok(came[0]!.kind === "done");
  assert.equal(came[0]!.outcomes[0]!.kind, "delivered");
  assert.equal(stored(files, "a").length, 1);
});

Deno.test("allAtOnce() needs two syncs for many mailboxes", async () => {
  const files = new FakeFiles("/mail");
  const deliveries = ["a", "b", "c", "d"].map((user) => deliveryTo(user));
  await deliver(files, { way: allAtOnce(files, files), deliveries });
  const syncs = files.calls.filter((call) => /sync/i.test(call));
  assert.deepEqual(syncs, ["wholeSync", "wholeSync"]);
});

Deno.test("allAtOnce() syncs the directory itself when there is but one", async () => {
  const files = new FakeFiles("/mail");
  const tools = toolsOn(files, "/mail");
  await runRound([deliveryTo("a")], tools, fileByFile(files)); // now settled
  files.calls.length = 0;
  const deliveries = [deliveryTo("a"), deliveryTo("a")];
  await runRound(deliveries, tools, allAtOnce(files, files));
  const syncs = files.calls.filter((call) => /sync/i.test(call));
  assert.deepEqual(syncs, ["wholeSync", "syncDirectory"]);
});

Deno.test("allAtOnce() delivers without a sync role, file by file", async () => {
  for (const wholeSyncIs of ["failed", "unknown"] as const) {
    const files = new FakeFiles("/mail");
    files.wholeSyncIs = wholeSyncIs;
    files.broken.add("wholeSync");
    const deliveries = [deliveryTo("a"), deliveryTo("b")];
    const came = await deliver(files, {
      way: allAtOnce(files, files),
      deliveries,
    });
    assert.deepEqual(came.map((c) => c.outcome.kind), [
      "delivered",
      "delivered",
    ]);
    assert.equal(files.calls.filter((call) => call === "sync").length, 2);
  }
});
