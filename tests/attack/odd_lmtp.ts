/** Odd LMTP servers (RFC 2033), above all between their last replies. */
import {
  type Act,
  type Acts,
  fin,
  mute,
  raw,
  rst,
  say,
  serve,
} from "./odd_server.ts";
import type { Row } from "./odd_servers_test.ts";

const OK = "delivered 250 2.0.0";

const ACTS: readonly {
  readonly name: string;
  readonly act: Act;
  /** Of whom the reply is about, and of whom it leaves unanswered. */
  readonly own: string;
  readonly rest: string;
}[] = [
  ...([
    ["closes", fin],
    ["resets", rst],
    ["says nothing", mute],
    ["says what is no reply", raw("what\r\n")],
    ["says 5,000 lines", raw("250-x\r\n".repeat(5_000))],
  ] as const).map(([name, act]) => ({
    name,
    act,
    own: "temporary 451 4.4.2",
    rest: "temporary 451 4.4.2",
  })),
  {
    name: "says 421",
    act: say("421 4.3.2 bye"),
    own: "temporary 421 4.3.2",
    rest: "temporary 421 4.3.2",
  },
  {
    name: "says 451",
    act: say("451 4.3.0 later"),
    own: "temporary 451 4.3.0",
    rest: OK,
  },
  {
    name: "says 552",
    act: say("552 5.2.2 full"),
    own: "permanent 552 5.2.2",
    rest: OK,
  },
  {
    name: "says 354",
    act: say("354 go"),
    own: "temporary 451 4.5.0",
    rest: OK,
  },
];

function row(name: string, acts: Acts, want: string): Row {
  const took = { messages: [], lines: [] };
  return {
    name: `${name}, by LMTP`,
    script: (visit) => serve(visit, acts, took),
    want,
    options: { protocol: "lmtp" },
  };
}

const both = (one: string, other: string) =>
  one === other ? one : `${one}, ${other}`;
const ok = say("250 2.0.0 ok");
const two = (first: Act, second: Act): Act => async (visit) => {
  await first(visit);
  await second(visit);
};
/** Replies behind a loss are not heard. */
const isEnd = (act: Act) => act === fin || act === rst || act === mute;

/** See the file's head. */
export const LMTP_ROWS: readonly Row[] = [
  row("is honest", { dot: two(ok, ok) }, OK),
  ...ACTS.flatMap(({ name, act, own, rest }) => [
    row(
      `${name} for the first of two`,
      { dot: isEnd(act) ? act : two(act, ok) },
      both(own, rest),
    ),
    row(`${name} for the second of two`, { dot: two(ok, act) }, both(OK, own)),
    row(
      `${name} for the only one taken`,
      { RCPT: [say("550 5.1.1 who"), say("250 ok")], dot: act },
      both("permanent 550 5.1.1", own),
    ),
  ]),
  row("refuses LHLO", { LHLO: say("500 5.5.1 what") }, "temporary 400 4.5.1"),
  row("closes at LHLO", { LHLO: fin }, "temporary 451 4.4.2"),
  row(
    "says 421 to LHLO",
    { LHLO: say("421 4.3.2 bye") },
    "temporary 421 4.3.2",
  ),
  row(
    "answers for one alone, though it took two",
    { dot: ok },
    `${OK}, temporary 451 4.4.2`,
  ),
  row("answers for three, though it took two", {
    dot: raw("250 2.0.0 a\r\n250 2.0.0 b\r\n250 2.0.0 c\r\n"),
  }, OK),
  row("answers for both in one reply of two lines", {
    dot: raw("250-2.0.0 a\r\n250 2.0.0 b\r\n"),
  }, `${OK}, temporary 451 4.4.2`),
  row("drips both answers", {
    dot: async (visit) => {
      for (const octet of "250 2.0.0 a\r\n550 5.2.1 b\r\n") {
        visit.say(octet);
        await Promise.resolve();
      }
    },
  }, `${OK}, permanent 550 5.2.1`),
  row(
    "takes nobody and still says 354",
    {
      LHLO: say("250-odd.test\r\n250 PIPELINING"),
      RCPT: say("550 5.1.1 who"),
    },
    "permanent 550 5.1.1",
  ),
  row(
    "takes nobody and refuses DATA, as it must",
    {
      LHLO: say("250-odd.test\r\n250 PIPELINING"),
      RCPT: say("550 5.1.1 who"),
      DATA: say("503 5.5.1 nobody"),
    },
    "permanent 550 5.1.1",
  ),
];
