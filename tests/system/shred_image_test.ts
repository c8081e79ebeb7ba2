/**
 * The proof on the raw image: what `bulkhead shred` erased is not there any
 * more, and what the wrong shredders of the past "erased" is. The search is
 * made before anything else syncs or unmounts, so that it sees what a power
 * cut would leave.
 */
import assert from "node:assert/strict";
import { libcPath, loadedLibraries, openLibc } from "../../mod/walls/libc.ts";
import { switchOffCopyOnWrite } from "../../mod/supervisor/copy_on_write.ts";
import {
  erasedDirs,
  erasedPlaces,
} from "../../mod/supervisor/erased_places.ts";
import { pathsOf } from "../../mod/supervisor/plan.ts";
import { overwrite } from "../../mod/shred/overwrite.ts";
import { canMakeDisks, must } from "../crash/disk_fixture.ts";
import { DISK_KINDS, RECIPES } from "../crash/disk_kinds.ts";
import { LoopImage } from "./loop_image.ts";
import { bulkhead } from "./server_fixture.ts";

const BYTES = 1_048_576;
const IS_POSSIBLE = canMakeDisks("shred_image_test");

/** A text that is nowhere else. */
function newToken(): string {
  return `token-${crypto.randomUUID()}-here`;
}

/** A file of the token, over and over, on the device. */
async function writeSecret(
  image: LoopImage,
  name: string,
  token: string,
): Promise<string> {
  const path = `${image.dir}/${name}`;
  const line = new TextEncoder().encode(`${token}\n`);
  const octets = new Uint8Array(BYTES);
  for (let at = 0; at + line.length <= BYTES; at += line.length) {
    octets.set(line, at);
  }
  Deno.writeFileSync(path, octets);
  await image.sync();
  assert.ok(await image.count(token) > 1_000, "it is on the device before");
  return path;
}

function random(): Uint8Array {
  const octets = new Uint8Array(BYTES);
  for (let at = 0; at < BYTES; at += 65_536) {
    crypto.getRandomValues(octets.subarray(at, at + 65_536));
  }
  return octets;
}

/** What shredders of the past did, each leaving the octets on the disk. */
const WRONG: { name: string; shred: (path: string) => void }[] = [
  {
    name: "its passes reach the page cache only",
    shred(path) {
      using file = Deno.openSync(path, { read: true, write: true });
      for (let pass = 0; pass < 3; pass++) {
        file.seekSync(0, Deno.SeekMode.Start);
        file.writeSync(random());
      }
    },
  },
  {
    name: "it unlinks before the data reached the disk",
    shred(path) {
      using file = Deno.openSync(path, { read: true, write: true });
      file.writeSync(random());
      Deno.removeSync(path);
    },
  },
  {
    name: "it opens with truncation, so that other blocks are written",
    shred(path) {
      using file = Deno.openSync(path, { write: true, truncate: true });
      file.writeSync(random());
      file.syncSync();
    },
  },
];

for (const { name, shred } of WRONG) {
  Deno.test({
    name: `a wrong shredder leaves the octets on ext4: ${name}`,
    ignore: !IS_POSSIBLE,
    async fn() {
      await using image = await LoopImage.make("ext4-ordered");
      const token = newToken();
      const path = await writeSecret(image, "secret", token);
      shred(path);
      assert.ok(await image.count(token) > 100, "this test can see a failure");
    },
  });
}

Deno.test({
  name: "what is unlinked with dirty pages never reaches the disk",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("ext4-ordered");
    const token = newToken();
    WRONG[1]!.shred(await writeSecret(image, "secret", token));
    await image.unmount();
    assert.ok(await image.count(token) > 100);
  },
});

for (const kind of ["ext4-ordered", "xfs"] as const) {
  Deno.test({
    name: `bulkhead shred leaves no octet of a file on ${kind}`,
    ignore: !IS_POSSIBLE,
    async fn() {
      await using image = await LoopImage.make(kind);
      const token = newToken();
      const path = await writeSecret(image, "secret", token);
      const ran = await bulkhead("shred", "--json", path);
      assert.equal(ran.code, 0, ran.errors);
      assert.equal(await image.count(token), 0);
      const result = JSON.parse(ran.out);
      assert.equal(result.readBack, "disk");
      assert.equal(result.isSamePlace, true);
      assert.equal(result.fileSystem.overwritesInPlace, "yes");
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
      await image.unmount();
      assert.equal(await image.count(token), 0);
    },
  });
}

Deno.test({
  name: "bulkhead shred says what ext4 with data=journal keeps",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("ext4-journal");
    const token = newToken();
    const path = await writeSecret(image, "secret", token);
    const ran = await bulkhead("shred", "--json", path);
    assert.equal(ran.code, 0, ran.errors);
    const { fileSystem } = JSON.parse(ran.out);
    assert.equal(fileSystem.journalKeepsCopies, true);
    // The claim is no excuse for nothing: the journal does keep it.
    assert.ok(await image.count(token) > 0);
  },
});

Deno.test({
  name: "bulkhead shred writes nothing on btrfs, where it erases nothing",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("btrfs");
    const token = newToken();
    const path = await writeSecret(image, "secret", token);
    const before = Deno.readFileSync(path);
    const ran = await bulkhead("shred", path);
    assert.equal(ran.code, 1);
    assert.match(ran.errors, /NOT erased, untouched.*copy on write/s);
    assert.deepEqual(Deno.readFileSync(path), before);
    // And rightly so: it would not have helped.
    await overwrite(path);
    await image.sync();
    assert.ok(await image.count(token) > 100);
  },
});

Deno.test({
  name: "overwriting erases on btrfs where copy-on-write is switched off",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("btrfs");
    const token = newToken();
    await Deno.mkdir(`${image.dir}/spool`);
    await writeSecret(image, "spool/before", newToken());
    const dir = `${image.dir}/spool`;
    assert.deepEqual(switchOffCopyOnWrite(libc(), [{ dir }]), [
      { dir, did: "switched-off" },
      { dir, did: "left-files", files: 1, example: "before" },
    ]);
    // A second start changes nothing, and still tells.
    assert.deepEqual(
      switchOffCopyOnWrite(libc(), [{ dir }]).map(({ did }) => did),
      ["left-files"],
    );
    const path = await writeSecret(image, "spool/secret", token);
    const ran = await bulkhead("shred", "--json", path);
    assert.equal(ran.code, 0, ran.errors);
    assert.equal(await image.count(token), 0);
    assert.equal(JSON.parse(ran.out).isSamePlace, true);
  },
});

Deno.test({
  name: "files of before, and snapshots, are not called erasable on btrfs",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("btrfs");
    const home = `${image.dir}/home`;
    await must("btrfs", "-q", "subvolume", "create", home);
    const paths = pathsOf(home);
    for (const dir of [paths.spoolDir, paths.spentDir, paths.queueDir]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    const worth = () =>
      erasedPlaces(libc(), paths).map((one) => one.overwritesInPlace);
    assert.deepEqual(worth(), ["no", "no", "no"]);
    Deno.writeTextFileSync(`${paths.queueDir}/keys`, "x".repeat(5_000));
    switchOffCopyOnWrite(libc(), erasedDirs(paths));
    assert.deepEqual(worth(), ["yes", "yes", "no"]);
    Deno.removeSync(`${paths.queueDir}/keys`);
    Deno.writeTextFileSync(`${paths.queueDir}/keys`, "x".repeat(5_000));
    await image.sync();
    assert.deepEqual(worth(), ["yes", "yes", "yes"]);
    await must(
      ...["btrfs", "-q", "subvolume", "snapshot", home, `${image.dir}/snap`],
    );
    assert.deepEqual(worth(), ["yes", "yes", "no"]);
    const [, , keys] = erasedPlaces(libc(), paths);
    assert.match(keys!.sentence, /snapshot/);
  },
});

Deno.test({
  name: "bulkhead shred keeps a file whose blocks a copy shares",
  ignore: !IS_POSSIBLE,
  async fn() {
    await using image = await LoopImage.make("xfs");
    const token = newToken();
    const path = await writeSecret(image, "secret", token);
    await must("cp", "--reflink=always", path, `${path}.copy`);
    await image.sync();
    const ran = await bulkhead("shred", path);
    assert.equal(ran.code, 1);
    assert.match(ran.errors, /shared with a copy/);
    assert.ok(Deno.lstatSync(path).isFile);
  },
});

for (const kind of DISK_KINDS) {
  // There the answer is another: its journal keeps a copy for a while.
  if (kind === "ext4-journal") continue;
  Deno.test({
    name: `bulkhead init on ${kind} makes directories that can be erased in`,
    ignore: !IS_POSSIBLE,
    async fn() {
      await using image = await LoopImage.make(kind);
      await Deno.writeTextFile(`${image.dir}/pw`, "a password\n");
      Deno.chmodSync(image.dir, 0o755);
      const home = `${image.dir}/home`;
      const made = await bulkhead(
        ...["init", home, "--hostname", "mx.home.test"],
        ...["--domain", "home.test", "--user", "me"],
        ...["--password-file", `${image.dir}/pw`],
      );
      assert.equal(made.code, 0, made.errors);
      const ran = await bulkhead(
        ...["shred", "verify", "--json", "--config", `${home}/bulkhead.toml`],
      );
      assert.equal(ran.code, 0, ran.out + ran.errors);
      const { places, guarantee } = JSON.parse(ran.out);
      assert.ok(places.length >= 2);
      for (const place of places) {
        assert.equal(place.kind, RECIPES[kind].fileSystem);
        assert.equal(place.overwritesInPlace, "yes", place.sentence);
      }
      assert.match(guarantee, /key was overwritten in place/);
    },
  });
}

function libc() {
  const maps = Deno.readTextFileSync("/proc/self/maps");
  return openLibc(libcPath(loadedLibraries(maps)));
}
