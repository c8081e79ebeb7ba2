/** Servers that have enough while the content is still on its way. */
import type { Visit } from "../../mod/smtpc/scripted_server.ts";
import type { Row } from "./odd_servers_test.ts";

const CHUNK = new TextEncoder().encode(("x".repeat(62) + "\r\n").repeat(1_024));
const CHUNKS = 80;

function* content() {
  for (let i = 0; i < CHUNKS; i++) yield CHUNK;
}

/** Says 354, reads some of it, then acts. */
function row(
  name: string,
  act: (visit: Visit) => void | Promise<void>,
  want: string,
  options: { lmtp?: boolean } = {},
): Row {
  return {
    name: `${name} within the content${options.lmtp ? ", by LMTP" : ""}`,
    want,
    options: {
      content,
      sizeBytes: CHUNKS * CHUNK.length,
      ...(options.lmtp ? { protocol: "lmtp" as const } : {}),
    },
    script: async (visit) => {
      visit.say("220 odd.test\r\n");
      for (
        const text of ["250 odd.test", "250 ok", "250 ok", "250 ok", "354 go"]
      ) {
        if (await visit.line() === undefined) return;
        visit.say(`${text}\r\n`);
      }
      await visit.octets(100_000);
      await act(visit);
    },
  };
}

const pausing = (act: (visit: Visit) => void) => (visit: Visit) => {
  visit.pause();
  act(visit);
};

/** See the file's head. */
export const MIDDLE_ROWS: readonly Row[] = [
  row("closes", (visit) => visit.end(), "temporary 451 4.4.2"),
  row("resets", (visit) => visit.reset(), "temporary 451 4.4.2"),
  row("stops reading", pausing(() => {}), "temporary 451 4.4.2"),
  row(
    "refuses with 552",
    pausing((visit) => visit.say("552 5.3.4 large\r\n")),
    "permanent 552 5.3.4",
  ),
  row(
    "refuses with 554 and closes",
    (visit) => {
      visit.say("554 5.6.0 no\r\n");
      visit.end();
    },
    "permanent 554 5.6.0",
  ),
  row(
    "refuses with 452",
    pausing((visit) => visit.say("452 4.3.1 full\r\n")),
    "temporary 452 4.3.1",
  ),
  row(
    "says 421",
    pausing((visit) => visit.say("421 4.3.2 bye\r\n")),
    "temporary 421 4.3.2",
  ),
  row(
    "says 250",
    pausing((visit) => visit.say("250 2.0.0 ok\r\n")),
    "temporary 451 4.5.0",
  ),
  row(
    "says 354 again",
    pausing((visit) => visit.say("354 more\r\n")),
    "temporary 451 4.5.0",
  ),
  row(
    "says half a reply and stops",
    pausing((visit) => visit.say("250 2.0")),
    "temporary 451 4.4.2",
  ),
  row(
    "says what is no reply",
    pausing((visit) => visit.say("what?\r\n")),
    "temporary 451 4.4.2",
  ),
  row(
    "refuses with 552",
    pausing((visit) => visit.say("552 5.3.4 large\r\n")),
    "temporary 452 4.3.4",
    { lmtp: true },
  ),
  row("closes", (visit) => visit.end(), "temporary 451 4.4.2", { lmtp: true }),
];
