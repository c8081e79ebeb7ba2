/** `bulkhead shred status` and `verify`: what they see, server running or not. */
import assert from "node:assert/strict";
import { installation, IS_ROOT, server, until } from "./server_fixture.ts";
import type { Installation } from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

interface Answer {
  readonly holds: boolean;
  readonly findings: readonly { kind: string; what: string }[];
  readonly places: readonly { what: string; sentence: string }[];
  readonly guarantee: string;
}

function bad({ findings }: Answer): string[] {
  return findings.filter(({ kind }) => kind !== "good").map(({ kind, what }) =>
    `${kind} ${what}`
  );
}

async function send(made: Installation): Promise<void> {
  const client = await SmtpClient.ready(made.smtpPort);
  const content = octets("Subject: x\r\n\r\nsecret\r\n");
  await client.transact("a@remote.test", ["me@home.test"], content);
  await client.quit();
}

/** Waits until all that was delivered is erased, as `status` says. */
async function erased(made: Installation): Promise<void> {
  await until("nothing pending", async () => {
    const { code } = await made.command("shred", "status");
    return code === 0;
  }, 60_000);
}

Deno.test("shred verify holds before the first start, and says where all of it lies", async () => {
  await using made = await installation();
  const { code, out } = await made.command("shred", "verify");
  assert.equal(code, 0, out);
  const answer = await made.json<Answer>("shred", "status");
  assert.deepEqual(
    answer.places.map(({ what }) => what).filter((what) => what !== "history"),
    ["contents", "spent", "keys"],
  );
  assert.ok(answer.guarantee.length > 20);
  assert.ok(out.includes(answer.guarantee));
});

Deno.test("shred verify holds while mail is delivered and after the stop", async () => {
  await using made = await server();
  for (let n = 0; n < 5; n++) await send(made);
  await erased(made);
  const running = await made.json<Answer>("shred", "verify");
  assert.deepEqual(bad(running), []);
  assert.ok(running.holds);
  await made.stopCleanly();
  assert.deepEqual(bad(await made.json<Answer>("shred", "verify")), []);
});

Deno.test("shred verify finds what was not erased", async () => {
  await using made = await server();
  const ready = await until("a ready segment", () => readySegment(made));
  await send(made);
  await erased(made);
  await made.stopCleanly();
  put(ready, 1_024, recordHeader());
  Deno.utimeSync(ready, 0, 0);
  put(`${made.home}/queue/keys`, 64 * 1_000, new Uint8Array(64).fill(1));
  const spent = `${made.home}/spool/spent/pool-0123456789abcdef.seg`;
  Deno.writeFileSync(spent, new Uint8Array(1_000));
  const info = Deno.statSync(`${made.home}/spool/segments`);
  if (IS_ROOT) Deno.chownSync(spent, info.uid, info.gid);
  const { code, out } = await made.command("shred", "verify");
  assert.equal(code, 1, out);
  const found = bad(await made.json<Answer>("shred", "verify")).sort();
  assert.equal(found.length, 3, found.join("\n"));
  assert.match(found[0]!, /^pending 1 spent segments of 1000 octets/);
  assert.match(found[1]!, /^wrong 1 key slots hold octets that are no key/);
  assert.match(found[2]!, /^wrong ready segments hold records/);
  // The short look sees what is pending, and reads no segment.
  const status = await made.json<Answer>("shred", "status");
  assert.match(bad(status).join("\n"), /^pending 1 spent segments/);
});

function readySegment(made: Installation): string | undefined {
  const dir = `${made.home}/spool/segments`;
  for (const { name } of Deno.readDirSync(dir)) {
    const path = `${dir}/${name}`;
    if (!/^pool-.*\.seg$/.test(name)) continue;
    if (Deno.statSync(path).mtime?.getTime() === 0) return path;
  }
  return undefined;
}

/** As in `mod/content/format.ts`, written out: the test shall not agree by copying. */
function recordHeader(): Uint8Array {
  const header = new Uint8Array(32);
  header.set(new TextEncoder().encode("BULKHEAD"));
  header[9] = 1;
  header[13] = 1;
  return header;
}

function put(path: string, at: number, octets: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(octets);
}
