/**
 * What a server can do instead of the right reply, and what must become of
 * the mail, at whichever point it does it.
 */
import {
  type Act,
  drip,
  fin,
  mute,
  type Point,
  raw,
  rst,
  say,
  sayAndClose,
} from "./odd_server.ts";

/** What becomes of the recipients that the reply was about. */
export interface Oddity {
  readonly name: string;
  /** @param right The reply that would be right, without CRLF */
  readonly act: (right: string) => Act;
  /**
   * The outcome. `lost` is 451 4.4.2 for all who are open; `fine` is as if
   * nothing had been odd.
   */
  readonly want: "lost" | "fine" | "refused" | "nonsense" | "later" | "closing";
}

const lost = (name: string, act: Act): Oddity => ({
  name,
  act: () => act,
  want: "lost",
});

const fine = (name: string, act: Oddity["act"]): Oddity => ({
  name,
  act,
  want: "fine",
});

/** All that can happen in place of any reply. */
export const ODDITIES: readonly Oddity[] = [
  lost("closes", fin),
  lost("resets", rst),
  lost("says nothing", mute),
  lost("closes within the code", sayAndClose("25")),
  lost("closes within the line", sayAndClose("250 2.0.0 ok")),
  lost("closes within several lines", sayAndClose("250-a\r\n250-b\r\n")),
  lost("resets within a line", async (visit) => {
    visit.say("250 o");
    await Promise.resolve();
    visit.reset();
  }),
  lost("says what is no reply", raw("hello\r\n")),
  lost("speaks HTTP", raw("HTTP/1.1 400 Bad Request\r\n\r\n")),
  lost("speaks TLS", raw("\x15\x03\x01\x00\x02\x02\x46\r\n")),
  lost("says an empty line", raw("\r\n")),
  lost("says NUL", raw("\0\0\0\0\r\n")),
  lost("begins with NUL", raw("\x00250 ok\r\n")),
  lost("says code 000", say("000 ok")),
  lost("says code 099", say("099 ok")),
  lost("says code 199", say("199 ok")),
  lost("says code 600", say("600 ok")),
  lost("says code 999", say("999 ok")),
  lost("says code 25", say("25 ok")),
  lost("says code 2500", say("2500 ok")),
  lost("says two codes in one reply", raw("250-a\r\n251 b\r\n")),
  lost("says two kinds of code in one reply", raw("250-a\r\n550 b\r\n")),
  lost("says 5,000 lines", raw("250-x\r\n".repeat(5_000) + "250 x\r\n")),
  lost("says a line without end", raw("250 " + "x".repeat(100_000))),
  lost("says lines without end, slowly", async (visit) => {
    await drip("250-x\r\n".repeat(200), 1)(visit);
  }),
  {
    name: "says 421",
    act: () => say("421 4.3.2 bye"),
    want: "closing",
  },
  {
    name: "says 421 and closes",
    act: () => sayAndClose("421 4.3.2 bye\r\n"),
    want: "closing",
  },
  { name: "says 451", act: () => say("451 4.3.0 later"), want: "later" },
  {
    name: "says 451 in three lines",
    act: () => raw("451-4.3.0 a\r\n451-4.3.0 b\r\n451 4.3.0 c\r\n"),
    want: "later",
  },
  { name: "says 550", act: () => say("550 5.7.1 no"), want: "refused" },
  {
    name: "says 550 and closes",
    act: () => sayAndClose("550 5.7.1 no\r\n"),
    want: "refused",
  },
  { name: "says 334", act: () => say("334 VXNlcm5hbWU6"), want: "nonsense" },
  fine("is dripped, octet by octet", (right) => drip(`${right}\r\n`)),
  fine("ends in a bare LF", (right) => raw(`${right}\n`)),
  fine(
    "has two lines",
    (right) =>
      raw(`${right.slice(0, 3)}-first\r\n${right.slice(0, 3)} second\r\n`),
  ),
  fine("has a NUL in its text", (right) => raw(`${right}\0\r\n`)),
  fine("has 8-bit text", (right) => raw(`${right} gr\xfc\xdfe\r\n`)),
  fine("has no text", (right) => raw(`${right.slice(0, 3)}\r\n`)),
];

/** The right reply at each point of a session that is tried. */
export const RIGHT = new Map<Point, string>([
  ["greeting", "220 odd.test"],
  ["EHLO", "250 odd.test"],
  ["MAIL", "250 2.1.0 ok"],
  ["RCPT", "250 2.1.5 ok"],
  ["DATA", "354 go"],
  ["dot", "250 2.0.0 ok"],
]);

const FINE = "delivered 250 2.0.0";

/** What must come of two recipients, of whom RCPT's oddity meets the second. */
export function wanted(
  oddity: Oddity,
  point: Point,
  { pipelining }: { pipelining: boolean },
): string {
  const whole = outcomeAt(oddity, point);
  if (pipelining && oddity.name === "says nothing" && point !== "DATA") {
    // The 354 is one too early then, and in the place of a recipient's reply.
    return "temporary 451 4.4.2, temporary 451 4.5.0";
  }
  if (point === "RCPT" && oddity.name === "says 550 and closes") {
    return `temporary 451 4.4.2, ${whole}`;
  }
  const isForOne = point === "RCPT" &&
    ["refused", "nonsense", "later"].includes(oddity.want);
  return isForOne ? `${FINE}, ${whole}` : whole;
}

function outcomeAt(oddity: Oddity, point: Point): string {
  switch (oddity.want) {
    case "fine":
      return FINE;
    case "lost":
      return "temporary 451 4.4.2";
    case "closing":
      return "temporary 421 4.3.2";
    case "later":
      return "temporary 451 4.3.0";
    case "nonsense":
      return "temporary 451 4.5.0";
    case "refused":
      switch (point) {
        case "greeting": // says nothing about the mail
          return "temporary 450 4.7.1";
        case "EHLO": // and HELO is understood, unless it is gone
          return oddity.name.endsWith("closes") ? "temporary 451 4.4.2" : FINE;
        default:
          return "permanent 550 5.7.1";
      }
  }
}
