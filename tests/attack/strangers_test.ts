/**
 * What a stranger gets out of a whole server: no mail relayed, and no word on
 * who has a mailbox.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import { report, sized } from "../crash/proof.ts";
import {
  change,
  freePort,
  type Installation,
  installation,
} from "../system/server_fixture.ts";
import { HostileClient } from "./hostile_client.ts";
import {
  RELAY_FORMS,
  RELAY_RECIPIENTS,
  type RelayForm,
} from "./relay_forms.ts";

/** Asks of each kind whose times are compared. */
const ASKS = sized({ small: 200, full: 1_000 });
const MAX_DIFFERENCE_MS = 5;

/** Whose connections may begin with the address of another client. */
const PROXY = "127.0.0.9";

/** How a stranger comes. */
interface Stranger {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly from?: string;
  /** What it says before anything else. */
  readonly first?: string;
}

Deno.test("the server tells strangers nothing and relays nothing", async (t) => {
  await using made = await installation();
  const anyPort = freePort();
  change(
    made,
    `[smtp]\nlisten = ["127.0.0.1:${made.smtpPort}", "[::]:${anyPort}"]\n` +
      `max_sessions_per_client = 1000\nproxy_from = ["${PROXY}"]\n` +
      '[screening]\ntrusted = ["127.0.0.0/8", "::1", "192.0.2.0/24"]',
  );
  await made.start();
  // A socket for IPv6 takes no IPv4 here: such an address comes of a proxy only.
  const clients: readonly Stranger[] = [
    { name: "IPv4", port: made.smtpPort, host: "127.0.0.1" },
    { name: "IPv6", port: anyPort, host: "::1" },
    {
      name: "IPv4-mapped IPv6",
      port: made.smtpPort,
      host: "127.0.0.1",
      from: PROXY,
      first: "PROXY TCP6 ::ffff:192.0.2.9 2001:db8::1 4444 25\r\n",
    },
  ];
  assert.ok(RELAY_RECIPIENTS >= 60);
  for (const stranger of clients) {
    const { name } = stranger;
    await t.step(`relays for nobody over ${name}`, async () => {
      const own = { from: "<a@other.test>", to: "<me@home.test>" };
      assert.equal(await isRelayed(stranger, own), true, "our own mail");
      let tried = 0;
      for (let at = 0; at < RELAY_FORMS.length; at += 40) {
        const some = RELAY_FORMS.slice(at, at + 40);
        const taken = await Promise.all(
          some.map((form) => isRelayed(stranger, form)),
        );
        some.forEach((form, i) =>
          assert.equal(taken[i], false, JSON.stringify(form))
        );
        tried += some.length;
      }
      report(`${tried} forms over ${name}: none is accepted`);
    });
  }

  await t.step("says the same of everybody to VRFY and EXPN", async () => {
    for (const verb of ["VRFY", "EXPN"]) {
      const [known, unknown] = await times(made, verb);
      const difference = Math.abs(known - unknown);
      report(
        `${verb}, known and unknown ${ASKS} times each: the means differ by ` +
          `${difference.toFixed(3)} ms`,
      );
      assert.ok(difference < MAX_DIFFERENCE_MS, `${difference} ms`);
    }
  });

  await t.step("has nothing waiting", () => {
    const accepted = made.events().filter(({ event }) =>
      event === "message-accepted"
    );
    assert.equal(accepted.length, clients.length, "our own mail, and no other");
  });
});

/** Tries one form; true if the recipient, or a message for it, was taken. */
async function isRelayed(
  { host, port, from: localAddress, first }: Stranger,
  { from, to }: RelayForm,
): Promise<boolean> {
  const socket = net.connect({
    host,
    port,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  let heard = "";
  socket.on("data", (bytes: Uint8Array) => {
    heard += Buffer.from(bytes).toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const tag = to.includes("\u3002") || to.includes("\uff45") ? " SMTPUTF8" : "";
  const text =
    `${first ?? ""}EHLO stranger.test\r\nMAIL FROM:${from}${tag}\r\n` +
    `RCPT TO:${to}\r\nNOOP\r\nDATA\r\n`;
  socket.write(Buffer.from(text, "utf8"));
  await Promise.race([
    closed,
    new Promise((resolve) => {
      const look = setInterval(() => {
        if (!/^(354|503|554)[^\n]*\r\n$/m.test(heard)) return;
        clearInterval(look);
        resolve(undefined);
      }, 5);
      closed.then(() => clearInterval(look));
    }),
  ]);
  const go = /^354 /m.test(heard);
  if (go) socket.write("relayed\r\n.\r\n");
  else socket.write("QUIT\r\n");
  if (go) await new Promise((resolve) => setTimeout(resolve, 500));
  socket.destroy();
  await closed;
  return go || /^250 2\.1\.5 /m.test(heard) || !/^220 /m.test(heard);
}

/** Mean times of an answer for who exists and who does not. */
async function times(
  made: Installation,
  verb: string,
): Promise<[known: number, unknown: number]> {
  const sums: [number, number] = [0, 0];
  const said = new Set<string>();
  // EXPN counts as an error: twenty of them end a session.
  const pairs = verb === "EXPN" ? 8 : 40;
  for (let at = 0; at < ASKS; at += pairs) {
    using client = new HostileClient(made.smtpPort);
    await client.hears(1);
    await client.say("EHLO stranger.test");
    for (let i = 0; i < pairs; i++) {
      // By turns, and each first as often as second.
      const order = (i % 2 === 0 ? [0, 1] : [1, 0]) as (0 | 1)[];
      for (const who of order) {
        const from = performance.now();
        said.add(await client.say(`${verb} ${NAMES[who]}@home.test`));
        sums[who] += performance.now() - from;
      }
    }
  }
  assert.equal(said.size, 1, [...said].join(" / "));
  return [sums[0] / ASKS, sums[1] / ASKS];
}

/** Who exists, and who does not. */
const NAMES = ["me", "nobody"] as const;
