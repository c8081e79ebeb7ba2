/**
 * A real Dovecot reads what our delivery writes: it lists the messages, says
 * their sizes without complaint about `S=`, and gives every octet back.
 *
 * Dovecot runs in a directory of its own, on a loopback port, as an ordinary
 * user.
 */
import assert from "node:assert/strict";
import {
  allAtOnce,
  type Durability,
  fileByFile,
} from "../../mod/maildir/durability.ts";
import {
  contentOf,
  deliveryTo,
  toolsOn,
} from "../../mod/maildir/fake_delivery.ts";
import { realMailFiles } from "../../mod/maildir/mail_files_io.ts";
import { runRound } from "../../mod/maildir/round.ts";
import {
  fetchAll,
  hasDovecot,
  type Reader,
  say,
  withDovecot,
} from "./dovecot_fixture.ts";

const HEAD = "Return-Path: <sender@remote.test>\r\n" +
  "Delivered-To: me@home.test\r\n";

const MESSAGES: { name: string; wire: string; want?: string }[] = [
  { name: "plain", wire: "Subject: plain\r\n\r\nHello\r\n" },
  { name: "no text", wire: "Subject: no text\r\n\r\n" },
  { name: "no last line end", wire: "Subject: open\r\n\r\nHello" },
  { name: "dots", wire: "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n" },
  {
    name: "8-bit",
    wire: "Subject: gr\u00fc\u00dfe\r\n\r\n\u20ac \u{1f4ec}\r\n",
  },
  {
    name: "folded header",
    wire: "Subject: a\r\n b\r\n\tc\r\nX: y\r\n\r\nFrom here\r\n>From\r\n",
  },
  {
    name: "former Return-Path",
    wire: "A: b\r\nReturn-Path:\r\n <x@y>\r\nC: d\r\n\r\nReturn-Path: z\r\n",
    want: "A: b\r\nC: d\r\n\r\nReturn-Path: z\r\n",
  },
  {
    name: "MIME",
    wire: "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n" +
      "\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n" +
      "--b--\r\n",
  },
  {
    name: "big",
    wire: "Subject: big\r\n\r\n" + `${"x".repeat(76)}\r\n`.repeat(60_000),
  },
];

Deno.test({
  name: "Dovecot lists and reads delivered mail, octet by octet",
  ignore: !hasDovecot,
  fn: readAll,
});

async function readAll(): Promise<void> {
  const dir = await Deno.makeTempDir({
    dir: "/tmp",
    prefix: "bulkhead-dovecot-",
  });
  try {
    const mailDir = `${dir}/mail`;
    await Deno.mkdir(mailDir);
    const peer = { sync: () => Promise.resolve("unknown" as const) };
    await deliverAll(mailDir, fileByFile(realMailFiles));
    await deliverAll(mailDir, allAtOnce(realMailFiles, peer));
    const reader = await readerUser();
    await giveAway(dir);
    await withDovecot({ dir, mailDir, reader }, async (port) => {
      const fetched = await fetchAll(port);
      const got = fetched.map((one) => fromBase64(one.octets)).sort();
      const want = [...MESSAGES, ...MESSAGES]
        .map(({ wire, want }) => HEAD + (want ?? wire)).sort();
      assert.equal(got.length, want.length);
      got.forEach((text, at) => assert.ok(text === want[at], `${at}`));
      for (const one of fetched) {
        assert.equal(one.size, fromBase64Octets(one.octets).length);
      }
      // Dovecot has moved all to `cur`; what comes now must be new to it.
      await deliverAll(mailDir, fileByFile(realMailFiles));
      await giveAway(dir);
      assert.equal((await fetchAll(port)).length, 3 * MESSAGES.length);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Delivers every message to me@home.test. */
async function deliverAll(mailDir: string, way: Durability): Promise<void> {
  for (const { name, wire } of MESSAGES) {
    const tools = toolsOn(realMailFiles, mailDir, contentOf(wire, 1_000));
    const [came] = await runRound([deliveryTo("me")], tools, way);
    assert.ok(came!.kind === "done");
    assert.equal(came!.outcomes[0]!.kind, "delivered", name);
  }
}

/** The user that Dovecot runs as: ourselves, or nobody if we are root. */
async function readerUser(): Promise<Reader> {
  if (Deno.uid() === 0) return { name: "nobody", group: "nogroup" };
  return { name: await say("id", "-un"), group: await say("id", "-gn") };
}

/** Makes everything under `dir` the reader's. */
async function giveAway(dir: string): Promise<void> {
  const { name, group } = await readerUser();
  await say("chown", "-R", `${name}:${group}`, dir);
}

function fromBase64Octets(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}

function fromBase64(text: string): string {
  return new TextDecoder().decode(fromBase64Octets(text));
}
