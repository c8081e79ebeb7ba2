/**
 * smtpc's engine against Postfix's own smtp-sink, from sealed records on
 * disk: what the sink dumps is what was sealed.
 */
import { NO_WISHES } from "../../mod/core/shapes.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DamagedError, readContent } from "../../mod/content/reader.ts";
import { Sealer } from "../../mod/content/seal.ts";
import { deliver, type Means } from "../../mod/smtpc/deliver.ts";
import { NO_NAMES, PART, safetyOf } from "../../mod/smtpc/delivery_fixture.ts";
import { IdlePool } from "../../mod/smtpc/idle_pool.ts";
import { Sources } from "../../mod/smtpc/source.ts";
import { Logins } from "../../mod/smtpc/logins.ts";
import type { Session } from "../../mod/smtpc/session_io.ts";
import { smtpcContract } from "../../mod/smtpc/smtpc_ipc.ts";

const SINK = "/usr/sbin/smtp-sink";
const hasSink = await Deno.stat(SINK).then(() => true, () => false);
const CALL = smtpcContract.calls.deliver;

const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const line = "0123456789 abcdefghijklmnopqrstuvwxyz\r\n";
const MESSAGES: { name: string; content: string; recipients?: number }[] = [
  { name: "plain", content: "Subject: plain\r\n\r\nhello\r\n" },
  {
    name: "dotted",
    content: "Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n...b\r\nc.\r\n.\r\n",
  },
  { name: "8-bit", content: "Subject: 8\r\n\r\n\xc3\xa9\xff\x80\r\n" },
  {
    name: "long-line",
    content: `Subject: long\r\n\r\n${"x".repeat(990)}\r\n`,
  },
  {
    name: "large",
    content: `Subject: large\r\n\r\n${(".dot\r\n" + line).repeat(60_000)}`,
  },
  {
    name: "100 recipients",
    content: "Subject: many\r\n\r\nhello\r\n",
    recipients: 100,
  },
];

/** Seals a message into its own segment file and returns what smtpc is asked. */
async function seal(dir: string, segment: string, content: string) {
  const pieces: Uint8Array[] = [];
  const sealer = new Sealer((piece) => pieces.push(piece));
  const octets = bytesOf(content);
  sealer.push(octets);
  sealer.finish();
  const key = sealer.takeKey();
  const record = await new Blob(pieces as BlobPart[]).bytes();
  await Deno.writeFile(`${dir}/${segment}.seg`, record);
  const ref = {
    segment,
    offset: 0,
    length: record.length,
    sizeBytes: octets.length,
  };
  return { ref, key };
}

function meansOver(spoolDir: string, pool: IdlePool<Session>): Means {
  return {
    part: {
      ...PART,
      spoolDir,
      connectWithinMs: 5_000,
      replyWithinMs: 10_000,
    },
    names: NO_NAMES,
    safety: safetyOf(),
    pool,
    source: ({ ref, key }) => ({
      open: () => readContent(spoolDir, ref, key),
      isDamage: (error) => error instanceof DamagedError,
    }),
    isOurs: () => false,
    held: { octets: 0 },
    count: () => {},
    logins: new Logins(PART, () => {}),
    sources: new Sources(PART),
  };
}

async function withSink(
  use: (port: number, dumps: string) => Promise<void>,
): Promise<void> {
  const dumps = await Deno.makeTempDir({ prefix: "bulkhead-sink-" });
  await Deno.chmod(dumps, 0o777);
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  const sink = new Deno.Command(SINK, {
    args: [
      ...(Deno.uid() === 0 ? ["-u", "nobody"] : []),
      ...["-d", `${dumps}/d.`, `127.0.0.1:${port}`, "100"],
    ],
    stderr: "null",
  }).spawn();
  try {
    for (let tries = 0; tries < 100; tries++) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await use(port, dumps);
  } finally {
    sink.kill("SIGTERM");
    await sink.status;
    await Deno.remove(dumps, { recursive: true });
  }
}

/**
 * The message in a dump: what follows the sink's own three lines of Received.
 * The sink writes LF for CRLF, and an empty line at the end.
 */
function dumped(text: string): { rcpt: number; message: string } {
  const head = /^(?:X-[^\n]*\n)*Received:[^\n]*\n(?:\t[^\n]*\n)*/.exec(text)!;
  const message = text.slice(head[0].length);
  assert.ok(message.endsWith("\n\n"), "dump ends with an empty line");
  return {
    rcpt: head[0].split("X-Rcpt-Args:").length - 1,
    message: message.slice(0, -1).replaceAll("\n", "\r\n"),
  };
}

Deno.test({
  name: "deliver() hands smtp-sink what was sealed, over one kept session",
  ignore: !hasSink,
  fn: () =>
    withSink(async (port, dumps) => {
      const spool = await Deno.makeTempDir({ prefix: "bulkhead-spool-" });
      const pool = new IdlePool<Session>();
      const means = meansOver(spool, pool);
      const want: string[] = [];
      for (const [i, message] of MESSAGES.entries()) {
        const { ref, key } = await seal(spool, `s${i}`, message.content);
        const recipients = Array.from(
          { length: message.recipients ?? 1 },
          (_, n) => `r${n}@remote.test`,
        );
        const ask = CALL.ask.parse({
          queueId: "0000000000000000",
          ref,
          key,
          reversePath: "me@home.test",
          recipients,
          bodyType: "8bitmime",
          wishes: NO_WISHES,
          recipientWishes: [],
          isRepeat: false,
          nextHop: { kind: "host", host: "127.0.0.1", port },
        });
        const verdict = await deliver(ask, means);
        assert.ok("answer" in verdict, message.name);
        const { outcomes } = CALL.answer.parse(verdict.answer);
        assert.ok(
          outcomes.every(({ kind }) => kind === "delivered"),
          `${message.name}: ${outcomes[0]!.text}`,
        );
        want.push(`${recipients.length} ${message.content}`);
      }
      pool.close();
      const got: string[] = [];
      for await (const { name } of Deno.readDir(dumps)) {
        const text = textOf(await Deno.readFile(`${dumps}/${name}`));
        const { rcpt, message } = dumped(text);
        got.push(`${rcpt} ${message}`);
      }
      assert.deepEqual(got.sort(), want.sort());
      await Deno.remove(spool, { recursive: true });
    }),
});

Deno.test({
  name: "deliver() refuses a record with one octet changed, and sends nothing",
  ignore: !hasSink,
  fn: () =>
    withSink(async (port, dumps) => {
      const spool = await Deno.makeTempDir({ prefix: "bulkhead-spool-" });
      const { ref, key } = await seal(spool, "s", line.repeat(100_000));
      const path = `${spool}/s.seg`;
      const record = await Deno.readFile(path);
      record[record.length - 1_000]! ^= 1;
      await Deno.writeFile(path, record);
      const pool = new IdlePool<Session>();
      const verdict = await deliver(
        CALL.ask.parse({
          queueId: "0000000000000000",
          ref,
          key,
          reversePath: "",
          recipients: ["a@remote.test"],
          bodyType: "7bit",
          wishes: NO_WISHES,
          recipientWishes: [],
          isRepeat: false,
          nextHop: { kind: "host", host: "127.0.0.1", port },
        }),
        meansOver(spool, pool),
      );
      assert.deepEqual(verdict, { refusal: "damaged" });
      assert.deepEqual([...Deno.readDirSync(dumps)], []);
      await Deno.remove(spool, { recursive: true });
    }),
});
