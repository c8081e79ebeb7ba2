/**
 * TLS that fails at every point: where TLS is only preferred, the mail goes in
 * the clear in a second connection; where it is demanded, not a word of it.
 */
import tls from "node:tls";
import type { Visit } from "../../mod/smtpc/scripted_server.ts";
import { makeCertificate } from "../../mod/supervisor/certificate.ts";
import { delay } from "../system/server_fixture.ts";
import {
  type Acts,
  fin,
  mute,
  rst,
  say,
  serve,
  type Took,
} from "./odd_server.ts";
import type { Row } from "./odd_servers_test.ts";

const OK = "delivered 250 2.0.0";
const LOST = "temporary 451 4.4.2";
const REFUSED = "temporary 451 4.7.5";
const NONE = "temporary 451 4.7.4";

const made = makeCertificate("odd.test", Date.now());
const secureContext = tls.createSecureContext(made);

const OFFER = say("250-odd.test\r\n250 STARTTLS");

/** Greets, offers STARTTLS, and acts when it is asked for. */
async function untilStartTls(visit: Visit, lines: string[]): Promise<boolean> {
  visit.say("220 odd.test\r\n");
  for (const text of ["250-odd.test\r\n250 STARTTLS\r\n", ""]) {
    const line = await visit.line();
    if (line === undefined) return false;
    lines.push(line);
    visit.say(text);
  }
  return true;
}

const after220 =
  (act: (visit: Visit) => void | Promise<void>) => async (visit: Visit) => {
    visit.say("220 go\r\n");
    await delay(20);
    await act(visit);
  };

const FAILURES: readonly {
  readonly name: string;
  readonly act: (visit: Visit) => void | Promise<void>;
  /** With TLS preferred. */
  readonly may: string;
  /** With TLS demanded. */
  readonly must: string;
}[] = [
  { name: "closes at STARTTLS", act: fin as () => void, may: LOST, must: LOST },
  { name: "resets at STARTTLS", act: rst as () => void, may: LOST, must: LOST },
  {
    name: "says nothing to STARTTLS",
    act: mute as () => void,
    may: LOST,
    must: LOST,
  },
  {
    name: "says 454 to STARTTLS",
    act: (v) => v.say("454 4.7.0 no\r\n"),
    may: OK,
    must: NONE,
  },
  {
    name: "says 502 to STARTTLS",
    act: (v) => v.say("502 5.5.1 no\r\n"),
    may: OK,
    must: NONE,
  },
  {
    name: "says 250 to STARTTLS",
    act: (v) => v.say("250 go\r\n"),
    may: OK,
    must: NONE,
  },
  {
    name: "says 421 to STARTTLS",
    act: (v) => v.say("421 4.3.2 bye\r\n"),
    may: OK,
    must: NONE,
  },
  {
    name: "says what is no reply to STARTTLS",
    act: (v) => v.say("go!\r\n"),
    may: LOST,
    must: LOST,
  },
  {
    name: "closes in the handshake",
    act: after220((v) => v.end()),
    may: OK,
    must: REFUSED,
  },
  {
    name: "resets in the handshake",
    act: after220((v) => v.reset()),
    may: OK,
    must: REFUSED,
  },
  {
    name: "is silent in the handshake",
    act: after220(() => {}),
    may: OK,
    must: REFUSED,
  },
  {
    name: "talks SMTP in the handshake",
    act: after220((v) => v.say("250 hello\r\n".repeat(20))),
    may: OK,
    must: REFUSED,
  },
  {
    name: "sends zeros in the handshake",
    act: after220((v) => v.say("\0".repeat(2_000))),
    may: OK,
    must: REFUSED,
  },
  {
    name: "sends an alert in the handshake",
    act: after220((v) => v.say("\x15\x03\x01\x00\x02\x02\x28")),
    may: OK,
    must: REFUSED,
  },
  {
    name: "sends half a record in the handshake",
    act: after220((v) => v.say("\x16\x03\x03\x40\x00\x02")),
    may: OK,
    must: REFUSED,
  },
];

function row(
  name: string,
  script: (visit: Visit, number: number, took: Took) => Promise<void>,
  about: { must: boolean; want: string },
): Row {
  const took: Took = { messages: [], lines: [] };
  return {
    name: `${name}, ${about.must ? "TLS demanded" : "TLS preferred"}`,
    want: about.want,
    options: {
      part: {
        connectWithinMs: 1_500,
        ...(about.must ? { tls: "encrypt" } : {}),
      },
    },
    script: (visit, number) => script(visit, number, took),
    then: () => {
      const heard = took.lines.some((line) => line.startsWith("MAIL"));
      if (about.must && heard) throw new Error("MAIL in the clear");
      if (about.want === OK && took.messages.length !== 1) {
        throw new Error(`${took.messages.length} messages`);
      }
    },
  };
}

const failing = [false, true].flatMap((must) =>
  FAILURES.map((one) =>
    row(one.name, async (visit, number, took) => {
      if (number > 0) return await serve(visit, { EHLO: OFFER }, took);
      if (!await untilStartTls(visit, took.lines)) return;
      await one.act(visit);
      await visit.gone();
    }, { must, want: must ? one.must : one.may })
  )
);

const INSIDE: readonly [name: string, acts: Acts, want: string][] = [
  ["is honest in TLS", {}, OK],
  ["closes at EHLO in TLS", { EHLO: fin }, LOST],
  [
    "says 421 to EHLO in TLS",
    { EHLO: say("421 4.3.2 bye") },
    "temporary 421 4.3.2",
  ],
  ["says nothing to EHLO in TLS", { EHLO: mute }, LOST],
  ["closes at MAIL in TLS", { MAIL: fin }, LOST],
  ["resets at MAIL in TLS", { MAIL: rst }, LOST],
  [
    "says 550 to RCPT in TLS",
    { RCPT: say("550 5.1.1 who") },
    "permanent 550 5.1.1",
  ],
  ["closes at DATA in TLS", { DATA: fin }, LOST],
  ["resets at DATA in TLS", { DATA: rst }, LOST],
  ["closes after the dot in TLS", { dot: fin }, LOST],
  ["resets after the dot in TLS", { dot: rst }, LOST],
  [
    "says 451 after the dot in TLS",
    { dot: say("451 4.3.0 later") },
    "temporary 451 4.3.0",
  ],
  ["offers STARTTLS again in TLS", { EHLO: OFFER }, OK],
];

const inside = INSIDE.map(([name, acts, want]): Row => {
  const took: Took = { messages: [], lines: [] };
  return {
    name,
    want,
    options: { part: { tls: "encrypt" } },
    script: async (visit) => {
      if (!await untilStartTls(visit, [])) return;
      await visit.startTls(secureContext, "220 go\r\n");
      await serve(visit, acts, took, { greets: false });
    },
  };
});

const withheld = row(
  "offers no STARTTLS",
  (visit, _, took) => serve(visit, {}, took),
  { must: true, want: NONE },
);

/** See the file's head. */
export const TLS_ROWS: readonly Row[] = [...failing, ...inside, withheld];
