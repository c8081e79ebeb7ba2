/** Servers that offer what they cannot, or say oddly what they can. */
import { drip, fin, raw, say, serve, type Took } from "./odd_server.ts";
import type { Acts } from "./odd_server.ts";
import type { Row } from "./odd_servers_test.ts";
import type { Options } from "../../mod/smtpc/delivery_fixture.ts";

const FINE = "delivered 250 2.0.0";
const EIGHT_BIT = "Subject: x\r\n\r\ngr\xfc\xdfe\r\n";

function row(
  name: string,
  acts: Acts,
  want: string,
  options: Options = {},
): Row {
  const took: Took = { messages: [], lines: [] };
  return { name, script: (visit) => serve(visit, acts, took), want, options };
}

const offers = (...keywords: string[]) =>
  say(
    ["250-odd.test", ...keywords.slice(0, -1).map((one) => `250-${one}`)]
      .concat(`250 ${keywords.at(-1)}`).join("\r\n"),
  );

/** See the file's head. */
export const OFFER_ROWS: readonly Row[] = [
  row("knows HELO only", { EHLO: say("500 what") }, FINE),
  row("knows HELO only, and says 502", { EHLO: say("502 no") }, FINE),
  row(
    "closes at EHLO because it knows HELO only",
    { EHLO: fin },
    "temporary 451 4.4.2",
  ),
  row(
    "refuses both EHLO and HELO",
    { EHLO: say("550 5.7.1 no"), HELO: say("550 5.7.1 no") },
    "temporary 450 4.7.1",
  ),
  row(
    "says 421 to HELO",
    { EHLO: say("500 what"), HELO: say("421 4.3.2 bye") },
    "temporary 421 4.3.2",
  ),
  row(
    "closes at HELO",
    { EHLO: say("500 what"), HELO: fin },
    "temporary 451 4.4.2",
  ),
  row("answers EHLO with 251", { EHLO: say("251 odd") }, "temporary 451 4.5.0"),
  row("answers EHLO with 220", { EHLO: say("220 odd") }, "temporary 451 4.5.0"),
  row("answers EHLO with one line", { EHLO: say("250 odd") }, FINE),
  row("names itself wrongly", { EHLO: say("250 us.test") }, FINE),
  row("offers SIZE 0", { EHLO: offers("SIZE 0") }, FINE),
  row("offers SIZE alone", { EHLO: offers("SIZE") }, FINE),
  row("offers SIZE abc", { EHLO: offers("SIZE abc") }, FINE),
  row("offers SIZE -1", { EHLO: offers("SIZE -1") }, FINE),
  row("offers SIZE 1e9", { EHLO: offers("SIZE 1e9") }, FINE),
  row("offers a SIZE of 30 digits", {
    EHLO: offers("SIZE 9".padEnd(34, "9")),
  }, FINE),
  row("offers SIZE 10", { EHLO: offers("SIZE 10") }, "permanent 552 5.3.4"),
  row(
    "says the message is too large at MAIL",
    { MAIL: say("552 5.3.4 too large") },
    "permanent 552 5.3.4",
  ),
  row(
    "says that it has no room now at MAIL",
    { MAIL: say("452 4.3.1 full") },
    "temporary 452 4.3.1",
  ),
  row(
    "says the message is too large after the dot",
    { dot: say("552 5.3.4 too large") },
    "permanent 552 5.3.4",
  ),
  row(
    "has too many recipients, in the words of old",
    { RCPT: [say("250 ok"), say("552 too many")] },
    `${FINE}, temporary 452 4.0.0`,
  ),
  row(
    "has no 8BITMIME for 8-bit content",
    { EHLO: offers("SIZE 0") },
    FINE,
    { content: EIGHT_BIT, bodyType: "8bitmime" },
  ),
  row(
    "has no 8BITMIME for what is 7-bit after all",
    { EHLO: offers("SIZE 0") },
    FINE,
    { bodyType: "8bitmime" },
  ),
  row(
    "offers 8BITMIME and refuses BODY",
    { MAIL: say("555 5.5.4 no BODY") },
    "permanent 555 5.5.4",
    { content: EIGHT_BIT, bodyType: "8bitmime" },
  ),
  row("offers 90 keywords", {
    EHLO: offers(...Array.from({ length: 90 }, (_, i) => `X-${i}`)),
  }, FINE),
  row(
    "offers 5,000 keywords",
    { EHLO: offers(...Array.from({ length: 5_000 }, (_, i) => `X-${i}`)) },
    "temporary 451 4.4.2",
  ),
  row("offers names of an object", {
    EHLO: offers("__proto__", "constructor", "toString", "8BITMIME"),
  }, FINE),
  row("offers with tabs and blanks", {
    EHLO: raw("250-odd\r\n250-\tSIZE\t10\r\n250-  \r\n250  SIZE  1\r\n"),
  }, FINE),
  row("drips its offers", {
    EHLO: drip("250-odd.test\r\n250-PIPELINING\r\n250 SIZE 100000\r\n"),
  }, FINE),
  row(
    "offers PIPELINING and drops what was pipelined",
    {
      EHLO: offers("PIPELINING"),
      RCPT: () => {},
      DATA: () => {},
    },
    "temporary 451 4.4.2",
  ),
  row(
    "offers PIPELINING and answers all as one",
    {
      EHLO: offers("PIPELINING"),
      MAIL: () => {},
      RCPT: () => {},
      DATA: (visit) => {
        visit.say("250 a\r\n250 b\r\n250 c\r\n354 d\r\n");
        return "content";
      },
    },
    FINE,
  ),
  row(
    "offers PIPELINING and answers too much",
    {
      EHLO: offers("PIPELINING"),
      DATA: raw("354 d\r\n250 e\r\n"),
    },
    "temporary 451 4.5.0",
  ),
  row(
    "offers PIPELINING, takes nobody and still says 354",
    { EHLO: offers("PIPELINING"), RCPT: say("550 5.1.1 who") },
    "permanent 550 5.1.1",
  ),
  row(
    "takes nobody, says 354 and is silent after the dot",
    {
      EHLO: offers("PIPELINING"),
      RCPT: say("550 5.1.1 who"),
      dot: () => {},
    },
    "permanent 550 5.1.1",
  ),
  row(
    "takes nobody, says 354 and 250 to nothing",
    {
      EHLO: offers("PIPELINING"),
      RCPT: say("450 4.2.0 later"),
      dot: say("250 2.0.0 ok"),
    },
    "temporary 450 4.2.0",
  ),
  row("consents with 299", { MAIL: say("299 ok") }, FINE),
  row("will forward, 251", { RCPT: say("251 2.1.5 elsewhere") }, FINE),
  row("cannot verify, 252", { RCPT: say("252 2.1.5 perhaps") }, FINE),
  row("says 250 to DATA", { DATA: say("250 ok") }, "temporary 451 4.5.0"),
  row("says 354 to MAIL", { MAIL: raw("354 go\r\n") }, "temporary 451 4.5.0"),
  row(
    "says 354 to every RCPT",
    { RCPT: raw("354 go\r\n") },
    "temporary 451 4.5.0",
  ),
  row(
    "says 354 after the dot",
    { dot: raw("354 go\r\n") },
    "temporary 451 4.5.0",
  ),
  row(
    "says 250 twice to MAIL",
    { MAIL: raw("250 a\r\n250 b\r\n") },
    "temporary 451 4.4.2",
  ),
  row(
    "greets twice",
    { greeting: raw("220 a\r\n220 b\r\n") },
    "temporary 451 4.4.2",
  ),
  row(
    "says 250 twice after the dot",
    { dot: raw("250 2.0.0 a\r\n250 b\r\n") },
    FINE,
  ),
  row(
    "says 250 and closes after the dot",
    {
      dot: (visit) => {
        visit.say("250 2.0.0 ok\r\n");
        visit.end();
      },
    },
    FINE,
  ),
  row("says nothing to QUIT", { QUIT: () => {} }, FINE),
  row("resets at QUIT", { QUIT: (visit) => visit.reset() }, FINE),
  row(
    "answers a 4yz with an enhanced code of 5",
    { RCPT: say("450 5.1.1 who") },
    "temporary 450 4.0.0",
  ),
  row(
    "answers a 5yz with an enhanced code of 4",
    { RCPT: say("550 4.2.0 later") },
    "permanent 550 5.0.0",
  ),
  row(
    "tells two recipients apart",
    { RCPT: [say("550 5.1.1 who"), say("450 4.2.0 later")] },
    "permanent 550 5.1.1, temporary 450 4.2.0",
  ),
];

/** A server that says each reply of a hundred just in time. */
export const SLOW: Row = {
  ...row(
    "drips a reply for each of 100 recipients",
    {
      RCPT: async (visit) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        visit.say("250 ok\r\n");
      },
    },
    "temporary 451 4.4.2",
    {
      recipients: Array.from({ length: 100 }, (_, i) => `r${i}@x.test`),
      part: { replyWithinMs: 100 },
    },
  ),
};
