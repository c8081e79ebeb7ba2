/**
 * Through a whole server: what a false end of data becomes on its way to the
 * next hop, which keeps every octet that it hears.
 */
import assert from "node:assert/strict";
import { report } from "../crash/proof.ts";
import { NextHop } from "../system/next_hop.ts";
import { freePort, server, until } from "../system/server_fixture.ts";
import { HostileClient } from "./hostile_client.ts";
import { isSpoilt } from "./reference_reader.ts";
import { carrier, endsTruly, SMUGGLED, TOKENS } from "./smuggling.ts";

/** All that some server took for the end of data, and the like. */
const SEQUENCES: readonly string[] = [
  ...["\n", "\r", "\r\n", "\n\n", "\r\r", "\n\r", "\r\n\0", "\0"].flatMap(
    (before) =>
      ["\n", "\r", "\r\n", "\n\n", "\r\r", "\0\r\n", " \r\n"].map((after) =>
        `${before}.${after}`
      ),
  ),
  ...TOKENS.map(({ octets }) => `\r\n.${octets}\r\n`),
  ...TOKENS.map(({ octets }) => `\r\n${octets}.\r\n`),
  ...TOKENS.map(({ octets }) => `${octets}.${octets}`),
  "\r\n..\r\n",
  "\r\n.\r\n.",
].filter((sequence) => !endsTruly(sequence, "middle"));

const AT_ONCE = 16;

Deno.test("nothing that goes out has a second message in it", async () => {
  await using next = new NextHop(freePort());
  next.records = true;
  await next.listen();
  await using made = await server({
    routes: [`remote.test=127.0.0.1:${next.port}`],
    settings: "[smtp]\nprocesses = 1",
  });
  const taken = new Map<string, number>();
  const jobs = SEQUENCES.flatMap((sequence, nth) =>
    (["data", "octets", "chunks", "binary"] as const)
      // Octet by octet takes a packet each: a few show it.
      .filter((way) => way !== "octets" || nth % 8 === 0)
      .map((way) => ({ sequence, way }))
  );
  for (let at = 0; at < jobs.length; at += AT_ONCE) {
    await Promise.all(
      jobs.slice(at, at + AT_ONCE).map(async (job) => {
        const { sequence, way } = job;
        const reply = await send(made.smtpPort, job);
        const key = `${way} ${reply.slice(0, 3)}`;
        taken.set(key, (taken.get(key) ?? 0) + 1);
        const isClean = !isSpoilt(carrier(sequence, "middle"));
        assert.equal(
          reply.startsWith("250 2.0.0 "),
          isClean || way === "binary",
          `${way} ${JSON.stringify(sequence)}: ${reply}`,
        );
      }),
    );
  }
  // What was taken as binary cannot go to a server that knows no BINARYMIME.
  const wanted = SEQUENCES.map((one, nth) =>
    isSpoilt(carrier(one, "middle")) ? 0 : nth % 8 > 0 ? 2 : 3
  ).reduce<number>((sum, ways) => sum + ways, 0);
  const clean = () =>
    next.taken.filter(({ from }) => from === "first@client.test").length;
  await until("everything clean delivered", () => clean() >= wanted, 30_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(clean(), wanted);
  assert.equal(next.taken.length, wanted, "and nothing else");
  for (const heard of next.heard) {
    assert.ok(!isSpoilt(heard), "a bare CR, a bare LF or a NUL went out");
  }
  const ends = next.heard.join("").split("\r\n.\r\n").length - 1;
  assert.equal(ends, wanted, "ends of data");
  for (const { from, content } of next.taken) {
    assert.notEqual(from, SMUGGLED);
    assert.match(new TextDecoder().decode(content), /second\r\n$/);
  }
  const counts = [...taken].map(([key, count]) => `${key}: ${count}`);
  report(
    `${jobs.length} messages (${counts.join(", ")}); ${wanted} went out whole`,
  );
});

/** Sends one carrier; the reply to it. */
async function send(
  port: number,
  { sequence, way }: {
    sequence: string;
    way: "data" | "octets" | "chunks" | "binary";
  },
): Promise<string> {
  using client = new HostileClient(port);
  client.socket.setNoDelay(true);
  await client.hears(1);
  await client.say("EHLO client.test");
  const body = way === "binary" ? " BODY=BINARYMIME" : "";
  await client.say(`MAIL FROM:<first@client.test>${body}`);
  await client.say("RCPT TO:<you@remote.test>");
  const whole = carrier(sequence, "middle");
  if (way === "data" || way === "octets") {
    assert.match(await client.say("DATA"), /^354 /);
    const before = client.replies;
    const wire = whole + "\r\n.\r\n";
    const from = wire.indexOf(sequence);
    const to = from + sequence.length;
    if (way === "data") await client.send(wire);
    else {
      await client.send(wire.slice(0, from));
      for (const octet of wire.slice(from, to)) {
        await client.send(octet);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await client.send(wire.slice(to));
    }
    await client.hears(before + 1);
  } else {
    const half = whole.indexOf(sequence) + Math.ceil(sequence.length / 2);
    const chunks = [whole.slice(0, half), whole.slice(half) + "\r\n"];
    for (const [nth, octets] of chunks.entries()) {
      if (client.isClosed) break;
      const before = client.replies;
      const last = nth === 1 ? " LAST" : "";
      await client.send(`BDAT ${octets.length}${last}\r\n${octets}`);
      await client.hears(before + 1);
    }
  }
  return client.heard.split("\r\n").at(-2) ?? "";
}
