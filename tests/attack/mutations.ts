/**
 * Makes an attack out of a dialog: spoils what is said, cuts it anew, and puts
 * failures, delays and hang-ups between.
 */
import { type Dialog, login } from "./grammar.ts";
import type { Random } from "./random.ts";
import type { Answer, Script, Step } from "./session_script.ts";

/** Octets on which readers have disagreed. */
const ODD_OCTETS = [
  "\r",
  "\n",
  "\r\n",
  "\0",
  ".",
  "\r\n.\r\n",
  "\n.\n",
  "\r.\r",
  "\x0b",
  "\x0c",
  "\x1a",
  "\x85",
  "\xc2\x85",
  "\xe2\x80\xa8",
  "\xff",
  " ",
  "\t",
  "<",
  ">",
  ":",
  "@",
  "\\",
  '"',
  "(",
  "+0A",
  "=",
];

/** Longest dialog after mutation: many short ones find more than a long one. */
const MAX_OCTETS = 400_000;

/** Makes one attack. */
export function mutate(
  dialogs: readonly Dialog[],
  random: Random,
): Script {
  const port = random.onceIn(3) ? "submission" as const : undefined;
  let said = [...random.pick(dialogs)];
  if (port !== undefined && !random.onceIn(4)) said.unshift(...login(random));
  // One in eight stays as it is, and is only cut and timed anew.
  const times = random.onceIn(8) ? 0 : 1 + random.below(5);
  for (let i = 0; i < times; i++) said = spoil(said, { dialogs, random });
  const script = {
    steps: timed(cut(said, random), random),
    answers: answers(random),
  };
  return port === undefined ? script : { ...script, port };
}

function spoil(
  said: string[],
  { dialogs, random }: { dialogs: readonly Dialog[]; random: Random },
): string[] {
  if (said.length === 0) return said;
  const at = random.below(said.length);
  const line = said[at]!;
  const place = random.below(line.length + 1);
  const replace = (by: string) => said.with(at, by);
  switch (random.below(16)) {
    case 0: // flip a bit
      return replace(
        line.slice(0, place) +
          String.fromCharCode(
            (line.charCodeAt(place) || 0) ^ (1 << random.below(8)),
          ) + line.slice(place + 1),
      );
    case 1:
    case 2:
    case 3:
      return replace(
        line.slice(0, place) + random.pick(ODD_OCTETS) + line.slice(place),
      );
    case 4:
      return replace(line.slice(0, place) + line.slice(place + 1));
    case 5:
      return replace(line.slice(0, place));
    case 6: // a line twice
      return said.toSpliced(at, 0, line);
    case 7: // a line less
      return said.toSpliced(at, 1);
    case 8: { // one session's beginning, another's end
      const other = random.pick(dialogs);
      return [...said.slice(0, at), ...other.slice(random.below(other.length))];
    }
    case 9: { // a line many times
      const times = random.onceIn(20) ? 2_000 : 2 + random.below(130);
      if (line.length * times > MAX_OCTETS) return said;
      return said.toSpliced(at, 0, ...Array<string>(times).fill(line));
    }
    case 10: { // an octet many times
      const times = random.onceIn(20)
        ? 100_000
        : random.pick([64, 255, 300, 512, 998, 1_999, 2_047, 2_048, 5_000]);
      const octet = random.pick(["a", ".", "<", "(", '"', "\\", "@a", "\r\n"]);
      return replace(
        line.slice(0, place) + octet.repeat(times) + line.slice(place),
      );
    }
    case 11: // another size
      return replace(
        line.replace(
          /[0-9]+/,
          () =>
            random.pick(["0", "1", "7", "100", "20001", "4294967296", "-1"]),
        ),
      );
    case 12: { // two lines change places
      const other = random.below(said.length);
      return said.with(at, said[other]!).with(other, line);
    }
    case 13: // in another case
      return replace(
        random.onceIn(2)
          ? line.replace(/[A-Z]+/g, (word) => word.toLowerCase())
          : line.replace(/[a-z]+/g, (word) => word.toUpperCase()),
      );
    case 14: // what is said is said in one breath with the next
      return at + 1 < said.length
        ? said.toSpliced(at, 2, line + said[at + 1]!)
        : said;
    case 15: // a message's inside as commands, and the other way round
      return said.toSpliced(at, 0, random.pick(random.pick(dialogs)));
  }
  return said;
}

/** Cuts what is said as TCP might. */
function cut(said: readonly string[], random: Random): string[] {
  switch (random.below(8)) {
    case 3:
    case 4: // pipelined as RFC 2920 wants it
      return pipelined(said);
    case 0: // all at once
      return [said.join("")];
    case 1: { // anywhere, at random
      const all = said.join("");
      const cuts = Array.from(
        { length: random.below(12) },
        () => random.below(all.length + 1),
      ).sort((a, b) => a - b);
      return [0, ...cuts].map((from, i) => all.slice(from, cuts[i]));
    }
    case 2: // octet by octet, if there are few
      if (said.join("").length < 600) return [...said.join("")];
      return [...said];
  }
  // A reply is awaited behind every piece: without it nothing comes of DATA.
  return [...said];
}

/** Joins commands up to one whose reply must be awaited. */
function pipelined(said: readonly string[]): string[] {
  const batches: string[] = [];
  let batch = "";
  said.forEach((piece, at) => {
    batch += piece;
    const mustWait =
      /^(EHLO|DATA|STARTTLS|AUTH|[a-z0-9*=]+\r\n$)/i.test(piece) ||
      piece.endsWith("\r\n.\r\n");
    if (!mustWait && at + 1 < said.length) return;
    batches.push(batch);
    batch = "";
  });
  return batches;
}

function timed(pieces: readonly string[], random: Random): Step[] {
  const isHasty = random.onceIn(4);
  const steps: Step[] = pieces.map((octets) => ({
    do: "send",
    octets,
    hops: isHasty ? random.below(6) : 24,
  }));
  if (random.onceIn(2)) return steps;
  for (let more = 1 + random.below(3); more > 0; more--) {
    steps.splice(random.below(steps.length + 1), 0, event(random));
  }
  return steps;
}

function event(random: Random): Step {
  switch (random.below(9)) {
    case 0:
      return { do: "end" };
    case 1:
      return { do: "reset" };
    case 2:
      return { do: "choke" };
    case 3:
      return { do: "drain" };
    case 4:
      return { do: "tick", ms: random.pick([0, 11_000, 70_000]) };
    case 5:
      return { do: "stop" };
  }
  return { do: "release", count: 1 + random.below(3), hops: random.below(30) };
}

function answers(random: Random): Answer[] {
  if (random.onceIn(2)) return [];
  return Array.from({ length: 1 + random.below(12) }, (): Answer => ({
    is: random.onceIn(6) ? random.pick(["refused", "failed"] as const) : "ok",
    isHeld: random.onceIn(3),
  }));
}
