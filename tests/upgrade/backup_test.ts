/** Backups and restores that end at any step, and backups that are not whole. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import {
  type BackupEntry,
  BadBackup,
  isPlainPath,
  line,
  parseManifest,
} from "../../mod/supervisor/care/manifest.ts";
import { walkMail } from "../../mod/supervisor/care/maildir_walk.ts";
import { NotPlain, openPlain } from "../../mod/supervisor/care/plain_file.ts";
import { endRestore, mountPoints } from "../../mod/supervisor/care/restore.ts";
import { BackupWriter } from "../../mod/supervisor/care/sink_io.ts";
import {
  JUST_LOOKING,
  readBackup,
} from "../../mod/supervisor/care/source_io.ts";
import {
  BadTar,
  headerOf,
  longName,
  readHeader,
} from "../../mod/supervisor/care/tar.ts";
import { Ender, tempDir } from "./care_fixture.ts";

const HEADER = {
  backup: 1,
  program: "0.1.0",
  atMs: 1,
  hostname: "mx.home.test",
  home: "/srv/home",
  config: "/srv/home/bulkhead.toml",
  format: {},
  hasMail: true,
};

const LONG = `mail/home.test/${"user".repeat(30)}/cur/1795273285.M9P1Q2.mx:2,S`;
const FILES: readonly [string, string][] = [
  ["users", "me@home.test\n"],
  ["queue/queue.db", "x".repeat(70_000)],
  ["tls/empty", ""],
  ["mail/home.test/me/new/1", "y".repeat(512)],
  [LONG, "a long name"],
];

/** Writes {@link FILES} as a backup. */
async function written(target: string): Promise<void> {
  const dir = tempDir();
  const writer = new BackupWriter({
    target,
    scratch: dir,
    accounts: null,
    header: HEADER,
  });
  await writer.directory("mail/home.test", Deno.statSync(dir));
  for (const [path, text] of FILES) {
    Deno.writeTextFileSync(`${dir}/file`, text);
    using file = openPlain(`${dir}/file`);
    await writer.file(path, file);
  }
  await writer.finish(7);
}

for (const form of ["b", "b.tar"]) {
  Deno.test(`readBackup() reads ${form} as it was written`, async () => {
    const target = `${tempDir()}/${form}`;
    await written(target);
    assert.equal(fs.statSync(target).mode & 0o077, 0, "root's alone");
    assert.equal(fs.existsSync(`${target}.part`), false);
    const found: [string, string][] = [];
    const manifest = await readBackup(target, {
      async file(path, octets) {
        let text = "";
        for await (const chunk of octets) {
          text += new TextDecoder().decode(chunk);
        }
        found.push([path, text]);
      },
    });
    assert.deepEqual(found, FILES);
    assert.equal(manifest.messages, 7);
    assert.equal(manifest.entries.get("mail/home.test")?.kind, "directory");
  });

  Deno.test(`readBackup() refuses ${form} with any octet changed or cut off`, async () => {
    const target = `${tempDir()}/${form}`;
    await written(target);
    const files = form === "b"
      ? [...FILES.map(([path]) => path), "manifest"].map((one) =>
        `${target}/${one}`
      )
      : [target];
    for (const path of files) {
      const whole = Deno.readFileSync(path);
      if (whole.length === 0) continue;
      const spoilt = [
        whole.subarray(0, Math.floor(whole.length / 2)),
        ...[0.01, 0.5, 0.97].map((part) => {
          const octets = whole.slice();
          // Not in the blocks that end or fill an archive.
          const at = form === "b"
            ? Math.floor(part * whole.length)
            : Math.floor(part * (whole.length - 1_536));
          if (octets[at] === 0) octets[at] = 1;
          else octets[at]! ^= 0x01;
          return octets;
        }),
      ];
      for (const [n, octets] of spoilt.entries()) {
        Deno.writeFileSync(path, octets);
        const isPadding = form !== "b" && n > 0 && isOutside(whole, octets);
        if (isPadding) continue;
        await assert.rejects(
          readBackup(target, JUST_LOOKING),
          (error) => error instanceof BadBackup,
          `${path} ${n}`,
        );
      }
      Deno.writeFileSync(path, whole);
    }
    await readBackup(target, JUST_LOOKING);
  });
}

/** True if only octets that fill a block are another. */
function isOutside(whole: Uint8Array, changed: Uint8Array): boolean {
  const at = whole.findIndex((octet, n) => octet !== changed[n]);
  return whole[at] === 0;
}

Deno.test("readBackup() refuses what its manifest does not name", async () => {
  const target = `${tempDir()}/b.tar`;
  await written(target);
  const whole = Deno.readFileSync(target);
  const more = headerOf({
    path: "auth/passwords",
    kind: "file",
    size: 0,
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtimeS: 0,
  });
  const octets = new Uint8Array(whole.length + more.length);
  octets.set(more);
  octets.set(whole, more.length);
  Deno.writeFileSync(target, octets);
  await assert.rejects(readBackup(target, JUST_LOOKING), /which its manifest/);
});

Deno.test("isPlainPath() takes no path that leads elsewhere", () => {
  for (const path of ["", "/etc", "a/../b", "..", "a//b", "a/", "./a", "a\0"]) {
    assert.equal(isPlainPath(path), false, path);
  }
  for (const path of ["a", "a/b", "a/..b", "mail/x:2,S"]) {
    assert.equal(isPlainPath(path), true, path);
  }
});

Deno.test("parseManifest() refuses every cut, and names that lead elsewhere", () => {
  const entry: BackupEntry = {
    path: "a",
    kind: "file",
    size: 1,
    mode: 0o600,
    owner: "queue",
    group: 0,
    sha256: "00",
  };
  const end = (...lines: readonly string[]) => {
    const sha256 = createHash("sha256").update(lines.join("")).digest("hex");
    const foot = { end: true, entries: 1, bytes: 1, messages: 0, sha256 };
    return lines.join("") + line(foot);
  };
  const whole = end(line(HEADER), line(entry));
  assert.equal(parseManifest(whole).entries.size, 1);
  for (let cut = 0; cut < whole.length; cut++) {
    assert.throws(() => parseManifest(whole.slice(0, cut)), BadBackup);
  }
  for (const bad of [{ ...entry, path: "../a" }, { ...entry, kind: "link" }]) {
    assert.throws(
      () => parseManifest(end(line(HEADER), line(bad))),
      BadBackup,
    );
  }
  const newer = { ...HEADER, backup: 2 };
  assert.throws(
    () => parseManifest(end(line(newer), line(entry))),
    /restore it with that one/,
  );
});

for (const type of ["1", "2", "3", "4", "6"]) {
  Deno.test(`readHeader() refuses an entry of type ${type}, a link or a device`, () => {
    const octets = headerOf({
      path: "users",
      kind: "file",
      size: 0,
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtimeS: 0,
    });
    octets[156] = type.charCodeAt(0);
    octets.fill(0x20, 148, 156);
    const sum = octets.reduce((all, one) => all + one, 0).toString(8);
    octets.set(new TextEncoder().encode(`${sum.padStart(6, "0")}\0 `), 148);
    assert.throws(() => readHeader(octets), /a link or a device/);
  });
}

Deno.test("readHeader() says of what is compressed that it is no archive", () => {
  const octets = new Uint8Array(512).fill(0xff);
  assert.throws(() => readHeader(octets), /no tar archive/);
});

const TAR_NUMBERS = [0, 1, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 40];

for (const size of TAR_NUMBERS) {
  Deno.test(`readHeader() reads a size of ${size} as headerOf() writes it`, () => {
    const entry = {
      path: "a/b",
      kind: "file" as const,
      size,
      mode: 0o640,
      uid: 62_403,
      gid: 2 ** 31,
      mtimeS: 1_795_273_285,
    };
    assert.deepEqual(readHeader(headerOf(entry)), entry);
  });
}

Deno.test("readHeader() and longName() read a long name; a damaged header is none", () => {
  const path = "d/".repeat(100) + "file";
  const octets = headerOf({
    path,
    kind: "file",
    size: 3,
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtimeS: 0,
  });
  const first = readHeader(octets.subarray(0, 512));
  assert.equal(first.kind, "long-name");
  const { size } = first as { size: number };
  assert.equal(longName(octets.subarray(512, 512 + size)), path);
  const damaged = octets.slice(0, 512);
  damaged[3]! ^= 1;
  assert.throws(() => readHeader(damaged), BadTar);
  assert.deepEqual(readHeader(new Uint8Array(512)), { kind: "end" });
});

Deno.test("openPlain() opens no link, no second name, no FIFO, and nobody else's", async () => {
  const dir = tempDir();
  Deno.writeTextFileSync(`${dir}/plain`, "x");
  Deno.symlinkSync(`${dir}/plain`, `${dir}/link`);
  await new Deno.Command("mkfifo", { args: [`${dir}/fifo`] }).output();
  openPlain(`${dir}/plain`)[Symbol.dispose]();
  openPlain(`${dir}/plain`, Deno.uid()!)[Symbol.dispose]();
  const refused = (name: string, owner?: number) =>
    assert.throws(
      () => openPlain(`${dir}/${name}`, owner),
      (error) =>
        error instanceof NotPlain && error.isGone === (name === "gone"),
      name,
    );
  refused("link");
  refused("fifo");
  refused("gone");
  refused("plain", 4_711);
  Deno.linkSync(`${dir}/plain`, `${dir}/second`);
  refused("plain");
});

Deno.test("walkMail() takes a message with two names, as IMAP servers make them, and tells of what it passes over", async () => {
  const dir = tempDir();
  for (const one of ["new", ".Archive"]) Deno.mkdirSync(`${dir}/${one}`);
  Deno.writeTextFileSync(`${dir}/new/m`, "x");
  Deno.linkSync(`${dir}/new/m`, `${dir}/.Archive/m:2,S`);
  Deno.symlinkSync("new/m", `${dir}/new/link`);
  const found: string[] = [];
  const passedOver: string[] = [];
  const walker = {
    directory: () => Promise.resolve(),
    file: (path: string) => Promise.resolve(void found.push(path)),
    passedOver: (path: string) => passedOver.push(path),
  };
  await walkMail(dir, "mail", walker);
  assert.deepEqual(found.sort(), ["mail/.Archive/m:2,S", "mail/new/m"]);
  assert.deepEqual(passedOver, ["mail/new/link"]);
  if (Deno.uid() !== 0) return;
  // Somebody else's file, to which somebody made a second name.
  Deno.chownSync(`${dir}/new/m`, 4_711, 4_711);
  found.length = 0;
  await walkMail(dir, "mail", walker);
  assert.deepEqual(found, []);
  await walkMail(dir, "mail", { ...walker, owner: 4_711 });
  assert.equal(found.length, 2);
});

Deno.test("readBackup() reads a directory whose files have other names, too", async () => {
  const target = `${tempDir()}/b`;
  await written(target);
  for (const [path] of FILES) {
    Deno.linkSync(`${target}/${path}`, `${target}/${path}.twin`);
  }
  await readBackup(target, JUST_LOOKING);
});

Deno.test("mountPoints() reads the kernel's table", () => {
  const table = "29 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n" +
    "36 29 0:5 / /srv/my\\040mail/spool rw - xfs /dev/vdb rw\n";
  assert.deepEqual(mountPoints(table), ["/", "/srv/my mail/spool"]);
});

Deno.test("walkMail() misses no message that is moved and marked while it looks", async () => {
  const dir = tempDir();
  for (const one of ["new", "cur", "tmp"]) Deno.mkdirSync(`${dir}/${one}`);
  for (let n = 0; n < 50; n++) Deno.writeTextFileSync(`${dir}/new/m${n}`, "x");
  Deno.writeTextFileSync(`${dir}/tmp/half`, "x");
  const found: string[] = [];
  await walkMail(dir, "mail", {
    directory: () => Promise.resolve(),
    file: (path) => {
      found.push(path);
      // A reader opens the mailbox: everything goes to `cur`, and is marked.
      for (const { name } of Deno.readDirSync(`${dir}/new`)) {
        Deno.renameSync(`${dir}/new/${name}`, `${dir}/cur/${name}:2,`);
      }
      for (const { name } of [...Deno.readDirSync(`${dir}/cur`)].slice(0, 3)) {
        if (name.endsWith("S")) continue;
        Deno.renameSync(`${dir}/cur/${name}`, `${dir}/cur/${name}S`);
      }
      return Promise.resolve();
    },
  });
  const messages = new Set(found.map((path) => /m\d+/.exec(path)?.[0]));
  assert.equal(messages.size, 50);
  assert.equal(found.some((path) => path.includes("half")), false);
});

Deno.test("walkMail() misses no message that is moved to another folder while it looks, and takes none again that was moved later", async () => {
  const dir = tempDir();
  const folders = [".A", ".B", ".C", ".D"];
  for (const one of folders) {
    Deno.mkdirSync(`${dir}/${one}/cur`, { recursive: true });
    for (let n = 0; n < 5; n++) {
      Deno.writeTextFileSync(`${dir}/${one}/cur/m${one}${n}:2,S`, "x");
    }
  }
  const found: string[] = [];
  const directories: string[] = [];
  let done = 0;
  await walkMail(dir, "mail", {
    directory: (path) => Promise.resolve(void directories.push(path)),
    file: (path) => {
      found.push(path);
      // All that the other folders have goes where we are.
      if (++done !== 3) return Promise.resolve();
      const here = path.split("/")[1]!;
      for (const one of folders.filter((one) => one !== here)) {
        for (const { name } of [...Deno.readDirSync(`${dir}/${one}/cur`)]) {
          Deno.renameSync(
            `${dir}/${one}/cur/${name}`,
            `${dir}/${here}/cur/${name}`,
          );
        }
      }
      return Promise.resolve();
    },
  });
  const names = found.map((path) => path.split("/").at(-1));
  assert.equal(new Set(names).size, 20);
  assert.equal(names.length, 20);
  assert.equal(new Set(directories).size, directories.length);
});

Deno.test("walkMail() finds what was moved behind it", async () => {
  const dir = tempDir();
  for (const one of [".A", ".B"]) {
    Deno.mkdirSync(`${dir}/${one}/cur`, { recursive: true });
    Deno.writeTextFileSync(`${dir}/${one}/cur/m${one}`, "x");
  }
  const found: string[] = [];
  await walkMail(dir, "mail", {
    directory: () => Promise.resolve(),
    file: (path) => {
      found.push(path);
      const other = path.includes(".A") ? ".B" : ".A";
      const moved = `${dir}/${other}/cur/m${other}`;
      if (fs.existsSync(moved)) {
        Deno.renameSync(moved, `${dir}/${path.split("/")[1]}/x`);
        Deno.mkdirSync(`${dir}/.C/cur`, { recursive: true });
        Deno.renameSync(
          `${dir}/${path.split("/")[1]}/x`,
          `${dir}/.C/cur/m${other}`,
        );
      }
      return Promise.resolve();
    },
  });
  assert.deepEqual(
    new Set(found.map((path) => path.split("/").at(-1))),
    new Set(["m.A", "m.B"]),
  );
});

Deno.test("endRestore() may die at any step, and the next one ends it", async () => {
  const made = () => {
    const home = `${tempDir()}/home`;
    const stage = `${home}/restore-in-the-making`;
    for (const dir of [`${home}/queue`, `${home}/mail`, `${stage}/queue`]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    Deno.writeTextFileSync(`${home}/queue/queue.db`, "old");
    Deno.writeTextFileSync(`${home}/users`, "old");
    Deno.writeTextFileSync(`${stage}/queue/queue.db`, "new");
    Deno.writeTextFileSync(`${stage}/format.json`, "new");
    Deno.writeTextFileSync(
      `${home}/restoring`,
      JSON.stringify({
        aside: "before-restore-1",
        old: ["mail", "queue", "users"],
        fresh: ["format.json", "queue"],
      }),
    );
    return home;
  };
  const steps = new Ender();
  await endRestore(made(), steps.step);
  assert.ok(steps.seen.length >= 7, steps.seen.join(" "));
  for (let at = 0; at < steps.seen.length; at++) {
    const home = made();
    const ender = new Ender(at);
    assert.equal(await ender.run(endRestore(home, ender.step)), "ended");
    assert.equal(await endRestore(home), true);
    const text = (path: string) => Deno.readTextFileSync(`${home}/${path}`);
    assert.equal(text("queue/queue.db"), "new");
    assert.equal(text("format.json"), "new");
    assert.equal(text("before-restore-1/queue/queue.db"), "old");
    assert.equal(text("before-restore-1/users"), "old");
    assert.equal(fs.existsSync(`${home}/users`), false);
    assert.equal(fs.existsSync(`${home}/restoring`), false);
    assert.equal(await endRestore(home), false);
  }
});
