/**
 * What becomes of a message's sealed octets once it is delivered: the file
 * that they lay in is overwritten in place, and only then used again.
 */
import assert from "node:assert/strict";
import { emptyMaildir, newFiles } from "./mailbox.ts";
import { IS_ROOT, server, until } from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const SETTINGS = `
[spool]
segment_size = "64KiB"
ready_segments = 2
`;

Deno.test("a delivered message's segment and a large one's file are overwritten by shred", async () => {
  await using made = await server({ settings: SETTINGS });
  const spool = `${made.home}/spool/segments`;
  const before = await until("ready segments", () => {
    const segments = segmentsIn(spool);
    return segments.size >= 2 && segments;
  });
  const maildir = made.maildir("me");
  emptyMaildir(maildir);
  const client = await SmtpClient.ready(made.smtpPort);
  // 30 KiB each: two fill a segment. And one that has a file of its own.
  const sizes = [...Array(12).fill(30_000), 400_000];
  for (const size of sizes) {
    const body = `Subject: x\r\n\r\n${
      "0123456789abcdef\r\n".repeat(size / 18)
    }`;
    await client.transact("me@home.test", ["me@home.test"], octets(body));
  }
  await client.quit();
  await until("delivery", () => newFiles(maildir).length === sizes.length);
  const counted = async () => {
    const roles = await made.roles();
    return roles.find(({ instance }) => instance === "shred.0")!.counters;
  };
  let counters: Readonly<Record<string, number>> = {};
  await until("six overwritten files", async () => {
    counters = await counted();
    return (counters["overwritten"] ?? 0) >= 6;
  });
  await until(
    "no spent file",
    () => [...Deno.readDirSync(`${made.home}/spool/spent`)].length === 0,
  );
  assert(counters["overwritten-octets"]! >= 400_000 + 5 * 65_536);
  assert.equal(counters["failed"] ?? 0, 0);
  const files = [...Deno.readDirSync(spool)].map(({ name }) => name);
  assert(!files.some((name) => name.startsWith("big-")), files.join());
  // Used again under another name, and not made anew.
  const after = segmentsIn(spool);
  const renamed = [...before].filter(([inode, name]) =>
    after.has(inode) && after.get(inode) !== name
  );
  assert(renamed.length > 0, "a segment of before is there under a new name");
  const { uid, mode } = Deno.statSync(`${made.home}/spool/spent`);
  assert.equal(mode! & 0o027, 0);
  if (IS_ROOT) assert.notEqual(uid, 0);
  const alarms = ["overwrite-failed", "segment-not-erased", "shred-late"];
  const seen = made.events().filter(({ event }) => alarms.includes(event));
  assert.deepEqual(seen, []);
  await made.stopCleanly();
});

/** The segments' names by inode. */
function segmentsIn(spool: string): Map<number, string> {
  const segments = new Map<number, string>();
  for (const { name } of Deno.readDirSync(spool)) {
    if (!/^pool-.*\.seg$/.test(name)) continue;
    try {
      segments.set(Deno.statSync(`${spool}/${name}`).ino!, name);
    } catch (error) {
      // It was just renamed.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return segments;
}
