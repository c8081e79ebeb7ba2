import assert from "node:assert/strict";
import { allAtOnce, fileByFile } from "./durability.ts";
import {
  contentOf,
  deliveryTo,
  headFor,
  STORED,
  toolsOn,
} from "./fake_delivery.ts";
import { realMailFiles, toFailure } from "./mail_files_io.ts";
import { runRound } from "./round.ts";

async function withDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("realMailFiles delivers into a mailbox that it makes", async () => {
  await withDir(async (dir) => {
    const peer = { sync: () => Promise.resolve("unknown" as const) };
    for (
      const way of [
        fileByFile(realMailFiles),
        allAtOnce(realMailFiles, peer),
      ]
    ) {
      const tools = toolsOn(realMailFiles, dir);
      await runRound([deliveryTo("a"), deliveryTo("b")], tools, way);
    }
    for (const user of ["a", "b"]) {
      const box = `${dir}/home.test/${user}`;
      for (const path of [box, `${box}/tmp`, `${box}/new`, `${box}/cur`]) {
        assert.equal(Deno.lstatSync(path).mode! & 0o777, 0o700);
      }
      assert.deepEqual([...Deno.readDirSync(`${box}/tmp`)], []);
      const names = [...Deno.readDirSync(`${box}/new`)].map((e) => e.name);
      assert.equal(names.length, 2);
      for (const name of names) {
        const file = `${box}/new/${name}`;
        const { mode, size } = Deno.lstatSync(file);
        assert.equal(mode! & 0o777, 0o600);
        assert.ok(name.endsWith(`,S=${size}`));
        assert.equal(
          Deno.readTextFileSync(file),
          headFor(`${user}@home.test`) + STORED,
        );
      }
    }
  });
});

Deno.test("realMailFiles puts nothing where a symbolic link leads", async () => {
  for (const place of ["home.test", "home.test/a", "home.test/a/tmp"]) {
    await withDir(async (dir) => {
      await Deno.mkdir(`${dir}/mail/${place}/..`, { recursive: true });
      await Deno.mkdir(`${dir}/elsewhere/a/tmp`, { recursive: true });
      await Deno.remove(`${dir}/mail/${place}`).catch(() => {});
      await Deno.symlink(`${dir}/elsewhere`, `${dir}/mail/${place}`);
      const tools = toolsOn(realMailFiles, `${dir}/mail`);
      const way = fileByFile(realMailFiles);
      const [came] = await runRound([deliveryTo("a")], tools, way);
      assert.ok(came!.kind === "done");
      assert.equal(came!.outcomes[0]!.code, 451);
      assert.deepEqual([...Deno.readDirSync(`${dir}/elsewhere/a/tmp`)], []);
    });
  }
});

Deno.test("realMailFiles.create() never takes a file that is there", async () => {
  await withDir((dir) => {
    Deno.writeTextFileSync(`${dir}/f`, "keep me");
    Deno.symlinkSync(`${dir}/nowhere`, `${dir}/link`);
    for (const name of ["f", "link"]) {
      const created = realMailFiles.create(`${dir}/${name}`);
      assert.ok(!created.ok);
      assert.equal(created.failure.kind, "exists");
    }
    assert.equal(Deno.readTextFileSync(`${dir}/f`), "keep me");
    return Promise.resolve();
  });
});

Deno.test("realMailFiles says what is wrong, as a value", async () => {
  await withDir(async (dir) => {
    Deno.writeTextFileSync(`${dir}/f`, "");
    const kinds = [
      realMailFiles.makeDirectory(`${dir}/f`)?.kind,
      realMailFiles.makeDirectory(`${dir}/no/d`)?.kind,
      realMailFiles.makeDirectory(`${dir}/f/d`)?.kind,
      realMailFiles.rename(`${dir}/no`, `${dir}/x`)?.kind,
      realMailFiles.remove(`${dir}/no`)?.kind,
      (await realMailFiles.syncDirectory(`${dir}/no`))?.kind,
      await realMailFiles.syncDirectory(dir),
    ];
    assert.deepEqual(kinds, [
      "exists",
      "missing",
      "unsafe",
      "missing",
      "missing",
      "missing",
      undefined,
    ]);
  });
});

Deno.test("toFailure() knows a full disk by the system's own error", () => {
  using full = Deno.openSync("/dev/full", { write: true });
  assert.throws(() => full.writeSync(new Uint8Array(1)), (error) => {
    assert.equal(toFailure(error).kind, "full");
    return true;
  });
});

Deno.test("toFailure() takes an exhausted quota and an I/O error apart", () => {
  const error = (text: string) => toFailure(new Error(text));
  assert.equal(error("Quota exceeded (os error 122)").kind, "quota");
  assert.equal(error("Input/output error (os error 5)").kind, "broken");
});

Deno.test("toFailure() does not hide a bug of ours", () => {
  for (const bug of [new TypeError("x is undefined"), "a string"]) {
    assert.throws(() => toFailure(bug), (thrown) => thrown === bug);
  }
});

Deno.test("writeDrafts() takes a big message while others get their turn", async () => {
  await withDir(async (dir) => {
    const line = "x".repeat(70) + "\r\n";
    const text = "A: b\r\n\r\n" + line.repeat(400_000);
    const tools = toolsOn(realMailFiles, dir, contentOf(text, 65_536));
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    const way = fileByFile(realMailFiles);
    const [came] = await runRound([deliveryTo("a")], tools, way);
    clearInterval(timer);
    assert.ok(came!.kind === "done");
    assert.equal(came!.outcomes[0]!.kind, "delivered");
    assert.ok(turns >= 2, `${turns} turns`);
    const [entry] = [...Deno.readDirSync(`${dir}/home.test/a/new`)];
    const { size } = Deno.lstatSync(`${dir}/home.test/a/new/${entry!.name}`);
    const head = headFor("a@home.test").length;
    assert.equal(size, head + 6 + 400_000 * 71);
  });
});
