/**
 * Real files in a real directory, hostile ones among them; the roles behind
 * pickup are played.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import type { AskOf } from "../ipc/call.ts";
import type { queueContract } from "../queue/queue_ipc.ts";
import {
  type DropEnvelope,
  newDropName,
  queueIdOf,
  writeTrailer,
} from "./drop_file.ts";
import type { DropFiles } from "./drop_files.ts";
import { dropFiles } from "./drop_files_io.ts";
import { DropWriter } from "./drop_writer_io.ts";
import type { PickupPart } from "./role.ts";
import { type Backend, take, type Taking } from "./taking.ts";

const PART: PickupPart = {
  hostname: "mx.home.test",
  origin: "home.test",
  dir: "",
  maxMessageBytes: 100_000,
  hopLimit: 10,
  tellsSubjectWords: true,
  users: [{ uid: Deno.uid()!, name: "me" }],
  allowed: [],
};

const ENVELOPE: DropEnvelope = {
  sender: null,
  fullName: "Me",
  recipients: ["you@home.test"],
  notify: [],
  ret: "",
  envid: "",
  verp: "",
};

const NOW_MS = Date.UTC(2026, 10, 21);

type AcceptAsk = AskOf<typeof queueContract.calls.accept>;

/** One directory and what pickup gave away of it. */
class Scene {
  readonly dir = Deno.makeTempDirSync({ prefix: "bulkhead-drop-" });
  files: DropFiles = dropFiles(this.dir);
  content = "";
  aborted = 0;
  dropped = 0;
  readonly accepted: AcceptAsk[] = [];
  /** What spool and queue say. */
  spool: "yes" | "full" | "absent" = "yes";
  queue: "yes" | "full" | "known" | "lost" = "yes";
  /** Called while the content is on its way. */
  onWrite: () => void = () => {};

  /** Writes a complete file as the command does. */
  put(content: string, envelope: DropEnvelope = ENVELOPE): string {
    const writer = new DropWriter(this.dir, NOW_MS);
    writer.write(new TextEncoder().encode(content));
    writer.commit(envelope);
    return writer.name;
  }

  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  take(name: string, part: Partial<PickupPart> = {}): Promise<Taking> {
    return take(name, {
      files: this.files,
      backend: this.#backend(),
      part: { ...PART, ...part },
      gid: fs.statSync(this.dir).gid,
      nowMs: NOW_MS,
    });
  }

  isThere(name: string): boolean {
    return this.files.look(name) !== undefined;
  }

  #backend(): Backend {
    const ref = { segment: "a", offset: 0, length: 1, sizeBytes: 0 };
    const stored = this.spool === "full"
      ? { kind: "refused", refusal: "full" } as const
      : {
        kind: "answered",
        answer: { ref, key: `${"A".repeat(43)}=` },
      } as const;
    return {
      store: () =>
        Promise.resolve(
          this.spool === "absent" ? undefined : {
            reply: Promise.resolve(stored),
            write: (octets) => {
              this.content += new TextDecoder().decode(octets);
              this.onWrite();
              return Promise.resolve();
            },
            end: () => Promise.resolve(stored),
            abort: () => void this.aborted++,
          },
        ),
      accept: (ask) => {
        this.accepted.push(ask);
        switch (this.queue) {
          case "yes":
            return Promise.resolve({ kind: "answered", answer: {} });
          case "lost":
            return Promise.resolve({ kind: "failed", why: "gone" });
          case "full":
          case "known":
            return Promise.resolve({ kind: "refused", refusal: this.queue });
        }
      },
      drop: () => Promise.resolve(this.dropped++),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("take() hands a message over, whole, and removes its file", async () => {
  using scene = new Scene();
  const name = scene.put("Subject: x\nBcc: z@home.test\n\nhä\n");
  const taking = await scene.take(name);
  assert.equal(taking.is, "taken");
  const id = queueIdOf(name, Deno.uid()!);
  const who = `uid ${Deno.uid()} (me)`;
  assert.equal(
    scene.content,
    `Received: by mx.home.test (from ${who})\r\n` +
      `\tid ${id}; Sat, 21 Nov 2026 00:00:00 +0000\r\n` +
      "Subject: x\r\nDate: Sat, 21 Nov 2026 00:00:00 +0000\r\n" +
      `From: "Me" <me@home.test>\r\nMessage-ID: <${id}@mx.home.test>\r\n` +
      "\r\nhä\r\n",
  );
  const [ask] = scene.accepted;
  assert.equal(ask!.queueId, id);
  assert.equal(ask!.reversePath, "me@home.test");
  assert.equal(ask!.bodyType, "8bitmime");
  assert.equal(ask!.client.login, who);
  assert.deepEqual(ask!.subjectWords, ["x"]);
  assert.ok(!scene.isThere(name));
});

Deno.test("take() asks under the same id when the file comes again", async () => {
  using scene = new Scene();
  const name = scene.put("x\n");
  scene.queue = "lost";
  assert.equal((await scene.take(name)).is, "later");
  assert.ok(scene.isThere(name));
  assert.equal(scene.dropped, 0, "the queue may have it");
  scene.queue = "known";
  assert.equal((await scene.take(name)).is, "taken");
  assert.equal(scene.dropped, 1);
  assert.equal(scene.accepted[0]!.queueId, scene.accepted[1]!.queueId);
  assert.ok(!scene.isThere(name));
});

const LATER: { name: string; change: (scene: Scene) => void }[] = [
  { name: "the spool is not there", change: (one) => one.spool = "absent" },
  { name: "the spool is full", change: (one) => one.spool = "full" },
  { name: "the queue is full", change: (one) => one.queue = "full" },
];

for (const { name, change } of LATER) {
  Deno.test(`take() leaves the file when ${name}`, async () => {
    using scene = new Scene();
    const file = scene.put("x\n");
    change(scene);
    assert.equal((await scene.take(file)).is, "later");
    assert.ok(scene.isThere(file));
  });
}

/** Puts something into the directory; its name. */
type Put = (scene: Scene, name: string) => void;

const text = (content: string): Put => (scene, name) =>
  Deno.writeTextFileSync(scene.path(name), content);

const HOSTILE: { name: string; put: Put; want: string }[] = [
  {
    name: "a symbolic link to a message",
    put: (scene, name) =>
      Deno.symlinkSync(scene.path(scene.put("x\n")), scene.path(name)),
    want: "removed no-file",
  },
  {
    name: "a symbolic link to nothing",
    put: (scene, name) => Deno.symlinkSync("/nowhere", scene.path(name)),
    want: "removed no-file",
  },
  {
    name: "a second name of a message",
    put: (scene, name) =>
      Deno.linkSync(scene.path(scene.put("x\n")), scene.path(name)),
    want: "removed links",
  },
  {
    name: "a FIFO",
    put: (scene, name) =>
      void new Deno.Command("mkfifo", { args: [scene.path(name)] })
        .outputSync(),
    want: "removed no-file",
  },
  {
    name: "a socket",
    put: (scene, name) => {
      Deno.listen({ transport: "unix", path: scene.path(name) });
    },
    want: "removed no-file",
  },
  {
    name: "an empty directory",
    put: (scene, name) => Deno.mkdirSync(scene.path(name)),
    want: "removed no-file",
  },
  {
    name: "a directory with a file in it",
    put: (scene, name) => {
      Deno.mkdirSync(scene.path(name));
      Deno.writeTextFileSync(`${scene.path(name)}/x`, "");
    },
    want: "stays",
  },
  { name: "an empty file", put: text(""), want: "removed no-message" },
  { name: "a file without a tail", put: text("x"), want: "removed no-message" },
  {
    name: "a tail with no room for its envelope",
    put: text("bulkhead drop 1 00001000\n"),
    want: "removed no-message",
  },
  {
    name: "an envelope that is none",
    put: text("x\n{}bulkhead drop 1 00000002\n"),
    want: "removed no-message",
  },
  {
    name: "a sparse file of a terabyte",
    put: (scene, name) => {
      text("")(scene, name);
      Deno.truncateSync(scene.path(name), 2 ** 40);
    },
    want: "removed no-message",
  },
  {
    name: "a message that is too large, sparse or not",
    put: (scene, name) => {
      text("")(scene, name);
      Deno.truncateSync(scene.path(name), 2 ** 30);
      Deno.writeFileSync(scene.path(name), writeTrailer(ENVELOPE), {
        append: true,
      });
    },
    want: "removed too-large",
  },
  {
    name: "a message that goes in circles",
    put: (scene, name) =>
      Deno.renameSync(
        scene.path(scene.put("Received: x\n".repeat(11) + "\n")),
        scene.path(name),
      ),
    want: "removed loop",
  },
  {
    name: "a line end in a recipient",
    put: (scene, name) =>
      Deno.renameSync(
        scene.path(
          scene.put("x\n", { ...ENVELOPE, recipients: ["a@b.test\r\nc"] }),
        ),
        scene.path(name),
      ),
    want: "removed no-message",
  },
];

for (const { name, put, want } of HOSTILE) {
  Deno.test(`take() makes no mail of ${name}`, async () => {
    using scene = new Scene();
    const file = newDropName(NOW_MS);
    put(scene, file);
    const taking = await scene.take(file);
    const why = taking.is === "removed" ? ` ${taking.why}` : "";
    assert.equal(taking.is + why, want);
    assert.equal(scene.accepted.length, 0);
    assert.equal(scene.isThere(file), want === "stays");
  });
}

Deno.test("take() removes a name that no sendmail gives", async () => {
  using scene = new Scene();
  for (const name of ["x", "-rf", "\x1b[2J", "ä\n", "..x"]) {
    text("x")(scene, name);
    const taking = await scene.take(name);
    assert.deepEqual(taking, { is: "removed", why: "no-message" }, name);
  }
});

const AGES = [
  { name: "now", ageS: 0, want: "unfinished" },
  { name: "long ago", ageS: 40 * 3_600, want: "removed" },
  { name: "in a far future", ageS: -40 * 3_600, want: "removed" },
];

for (const { name, ageS, want } of AGES) {
  Deno.test(`take() says ${want} of a part written ${name}`, async () => {
    using scene = new Scene();
    const part = `${newDropName(NOW_MS)}.part`;
    text("x")(scene, part);
    const at = NOW_MS / 1_000 - ageS;
    Deno.utimeSync(scene.path(part), at, at);
    assert.equal((await scene.take(part)).is, want);
  });
}

const CHANGES: { name: string; change: (path: string) => void }[] = [
  {
    name: "grows",
    change: (path) => Deno.writeTextFileSync(path, "x", { append: true }),
  },
  { name: "is cut", change: (path) => Deno.truncateSync(path, 70_000) },
  {
    name: "is written over",
    change: (path) => {
      const file = Deno.openSync(path, { write: true });
      file.writeSync(new TextEncoder().encode("Z"));
      file.close();
    },
  },
  {
    name: "gets a second name",
    change: (path) => Deno.linkSync(path, `${path}2`),
  },
];

for (const { name, change } of CHANGES) {
  Deno.test(`take() takes nothing of a file that ${name} while it is read`, async () => {
    using scene = new Scene();
    const file = scene.put("x".repeat(90_000));
    // The kernel's clock for files ticks every few milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20));
    let isFirst = true;
    scene.onWrite = () => {
      if (isFirst) change(scene.path(file));
      isFirst = false;
    };
    assert.equal((await scene.take(file)).is, "changing");
    assert.equal(scene.accepted.length, 0);
    assert.equal(scene.aborted, 1);
  });
}

Deno.test("take() takes nothing of a file that is another when it is opened", async () => {
  using scene = new Scene();
  const [one, other] = [scene.put("a\n"), scene.put("b\n")];
  const { open } = scene.files;
  scene.files = { ...scene.files, open: () => open(other) };
  assert.equal((await scene.take(one)).is, "changing");
  assert.equal(scene.accepted.length, 0);
});

Deno.test("take() obeys submit.users by name, by number, and lets root in", async () => {
  using scene = new Scene();
  const uid = Deno.uid()!;
  assert.equal(
    (await scene.take(scene.put("x\n"), { allowed: ["me"] })).is,
    "taken",
  );
  const byNumber = { allowed: [String(uid)] };
  assert.equal((await scene.take(scene.put("x\n"), byNumber)).is, "taken");
  const taking = await scene.take(scene.put("x\n"), { allowed: ["other"] });
  assert.equal(taking.is, uid === 0 ? "taken" : "removed");
});

Deno.test({
  name: "take() tells another's file by its owner, whatever is in it",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using scene = new Scene();
    const name = scene.put("x\n");
    Deno.chownSync(scene.path(name), 12_345, null);
    await scene.take(name);
    assert.equal(scene.accepted[0]!.client.login, "uid 12345");
    assert.equal(scene.accepted[0]!.reversePath, "uid12345@home.test");
    const foreign = scene.put("x\n");
    Deno.chownSync(scene.path(foreign), null, 12_345);
    const taking = await scene.take(foreign);
    assert.deepEqual(taking, { is: "removed", why: "group" });
  },
});
