/**
 * A server that does one thing wrong, at a point of its choice, and is an
 * honest one else. For tests of the SMTP client.
 */
import { delay } from "../system/server_fixture.ts";
import type { Visit } from "../../mod/smtpc/scripted_server.ts";

/**
 * What is done at one point, instead of the right reply. `content` says that
 * what comes next is content and not a command.
 */
export type Act = (visit: Visit) => Did | Promise<Did>;

type Did = void | "content";

/** Where something can go wrong: what was heard last. */
export const POINTS = [
  "greeting",
  "EHLO",
  "HELO",
  "LHLO",
  "STARTTLS",
  "AUTH",
  "MAIL",
  "RCPT",
  "DATA",
  "dot",
  "BDAT",
  "RSET",
  "QUIT",
] as const;

/** See {@link POINTS}. */
export type Point = (typeof POINTS)[number];

/** By point, one act after another; the last one for ever. */
export type Acts = Partial<Record<Point, Act | readonly Act[]>>;

/** Says a reply, with its CRLF. */
export function say(text: string): Act {
  return raw(`${text}\r\n`);
}

/** Says octets as they are. */
export function raw(text: string): Act {
  return (visit) => {
    visit.say(text);
    return asks(text);
  };
}

function asks(text: string): Did {
  return text.startsWith("354") ? "content" : undefined;
}

/** Says something and closes, in order. */
export function sayAndClose(text: string): Act {
  return (visit) => {
    visit.say(text);
    visit.end();
  };
}

/** Closes in order. */
export const fin: Act = (visit) => visit.end();

/** Resets the connection, once it certainly stands. */
export const rst: Act = async (visit) => {
  await delay(5);
  visit.reset();
};

/** Says nothing, and stays. */
export const mute: Act = () => {};

/** Says a reply one octet at a time. */
export function drip(text: string, everyMs = 0): Act {
  return async (visit) => {
    for (const octet of text) {
      visit.say(octet);
      await delay(everyMs);
    }
    return asks(text);
  };
}

const USUAL: Record<Point, Act> = {
  greeting: say("220 odd.test"),
  EHLO: say("250-odd.test\r\n250-8BITMIME\r\n250 SIZE 0"),
  HELO: say("250 odd.test"),
  LHLO: say("250-odd.test\r\n250 8BITMIME"),
  STARTTLS: say("502 5.5.1 no"),
  AUTH: say("502 5.5.1 no"),
  MAIL: say("250 2.1.0 ok"),
  RCPT: say("250 2.1.5 ok"),
  DATA: say("354 go"),
  dot: say("250 2.0.0 taken"),
  BDAT: say("250 2.0.0 taken"),
  RSET: say("250 2.0.0 ok"),
  QUIT: say("221 bye"),
};

/** What reached the server. */
export interface Took {
  /** Whole messages, still stuffed. */
  readonly messages: string[];
  readonly lines: string[];
}

/** Plays one visit; an act of a list is used up. */
export async function serve(
  visit: Visit,
  acts: Acts,
  took: Took,
  options: {
    /** False: the greeting was said, as before STARTTLS. */
    readonly greets?: boolean;
  } = {},
): Promise<void> {
  const used = new Map<Point, number>();
  const act = async (point: Point) => {
    const all = acts[point] ?? USUAL[point];
    const n = used.get(point) ?? 0;
    used.set(point, n + 1);
    const one = typeof all === "function" ? all : all[n] ?? all.at(-1)!;
    return await one(visit);
  };
  if (options.greets ?? true) await act("greeting");
  while (true) {
    const line = await visit.line();
    if (line === undefined) return;
    took.lines.push(line);
    const verb = line.split(/[ :]/)[0]!.toUpperCase();
    const point = POINTS.find((one) => one === verb);
    if (point === undefined) {
      visit.say("500 5.5.1 what\r\n");
      continue;
    }
    if (point === "BDAT") {
      const chunk = await visit.octets(Number(line.split(" ")[1]));
      if (chunk === undefined) return;
      took.messages.push(chunk);
    }
    const did = await act(point);
    if (point !== "DATA" || did !== "content") continue;
    const message = await visit.data();
    if (message === undefined) return;
    took.messages.push(message);
    await act("dot");
  }
}
