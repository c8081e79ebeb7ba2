/** Odd submission servers: a login is our matter, and no mail's fault. */
import { Buffer } from "node:buffer";
import {
  type Acts,
  fin,
  mute,
  raw,
  rst,
  say,
  serve,
  type Took,
} from "./odd_server.ts";
import type { Row } from "./odd_servers_test.ts";

const OK = "delivered 250 2.0.0";
const PASSWORD = "hunter2 and more";

function row(
  name: string,
  mechanism: string,
  acts: Acts,
  want: string,
  /** Says what follows a 334, one a line. */
  answers: readonly string[] = [],
): Row {
  const took: Took = { messages: [], lines: [] };
  return {
    name: `${name}, at a login by ${mechanism || "nothing"}`,
    want,
    options: {
      protocol: "submission",
      login: { user: "me", password: PASSWORD },
    },
    script: async (visit) => {
      const offer = mechanism === ""
        ? say("250 odd.test")
        : say(`250-odd.test\r\n250 AUTH ${mechanism}`);
      const all: Acts = { EHLO: offer, ...acts };
      if (answers.length === 0) return await serve(visit, all, took);
      const auth = async () => {
        for (const answer of answers) {
          visit.say(`${answer}\r\n`);
          if (!answer.startsWith("334")) return;
          const line = await visit.line();
          if (line === undefined) return;
          took.lines.push(line);
        }
      };
      await serve(visit, { ...all, AUTH: auth }, took);
    },
    then: () => {
      // Nothing of the mail before the login is through.
      const isIn = acts.MAIL !== undefined || want === OK;
      if (!isIn && took.lines.some((line) => line.startsWith("MAIL"))) {
        throw new Error("MAIL without a login");
      }
    },
  };
}

const challenge = (text: string) =>
  `334 ${Buffer.from(text).toString("base64")}`;

/** See the file's head. */
export const LOGIN_ROWS: readonly Row[] = [
  row("lets us in", "PLAIN", { AUTH: say("235 2.7.0 in") }, OK),
  row("lets us in", "LOGIN", {}, OK, ["334 ", "334 ", "235 in"]),
  row("asks oddly and lets us in", "LOGIN", {}, OK, [
    "334 who?",
    "334 and?",
    "235 in",
  ]),
  row("closes", "PLAIN", { AUTH: fin }, "temporary 451 4.4.2"),
  row("resets", "PLAIN", { AUTH: rst }, "temporary 451 4.4.2"),
  row("says nothing", "PLAIN", { AUTH: mute }, "temporary 451 4.4.2"),
  row(
    "says what is no reply",
    "PLAIN",
    { AUTH: raw("in\r\n") },
    "temporary 451 4.4.2",
  ),
  row(
    "says 5,000 lines",
    "PLAIN",
    { AUTH: raw("235-x\r\n".repeat(5_000)) },
    "temporary 451 4.4.2",
  ),
  row("says 250", "PLAIN", { AUTH: say("250 ok") }, "temporary 451 4.7.0"),
  row("says 354", "PLAIN", { AUTH: say("354 go") }, "temporary 451 4.7.0"),
  row(
    "says 421",
    "PLAIN",
    { AUTH: say("421 4.3.2 bye") },
    "temporary 451 4.7.0",
  ),
  row(
    "says 454",
    "PLAIN",
    { AUTH: say("454 4.7.0 later") },
    "temporary 451 4.7.0",
  ),
  row(
    "says 535",
    "PLAIN",
    { AUTH: say("535 5.7.8 no") },
    "temporary 435 4.7.8",
  ),
  row(
    "says 530",
    "PLAIN",
    { AUTH: say("530 5.7.0 first") },
    "temporary 430 4.7.0",
  ),
  row(
    "says 504",
    "PLAIN",
    { AUTH: say("504 5.5.4 what") },
    "temporary 404 4.5.4",
  ),
  row(
    "asks without end",
    "PLAIN",
    {},
    "temporary 451 4.7.0",
    Array(50).fill("334 more"),
  ),
  row(
    "asks without end",
    "LOGIN",
    {},
    "temporary 451 4.7.0",
    Array(50).fill("334 more"),
  ),
  row("refuses the user", "LOGIN", {}, "temporary 435 4.7.8", [
    "334 ",
    "535 5.7.8 no",
  ]),
  row("closes between the questions", "LOGIN", {
    AUTH: async (visit) => {
      visit.say("334 \r\n");
      await visit.line();
      visit.end();
    },
  }, "temporary 451 4.4.2"),
  row("challenges with nothing", "SCRAM-SHA-256", {}, "temporary 451 4.7.0", [
    "334 ",
  ]),
  row(
    "challenges with another nonce",
    "SCRAM-SHA-256",
    {},
    "temporary 451 4.7.0",
    [
      challenge("r=abc,s=c2FsdHNhbHQ=,i=4096"),
    ],
  ),
  row("lets in who did not prove anything", "SCRAM-SHA-256", {
    AUTH: say("235 in"),
  }, "temporary 451 4.7.0"),
  row("offers nothing", "", {}, "temporary 451 4.7.0"),
  row("offers what nobody knows", "NTLM GSSAPI", {}, "temporary 451 4.7.0"),
  row("wants no mail from us after the login", "PLAIN", {
    AUTH: say("235 in"),
    MAIL: say("530 5.7.0 log in first"),
  }, "temporary 430 4.7.0"),
];
