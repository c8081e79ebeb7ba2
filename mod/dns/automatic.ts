/**
 * Forwarders while they are good for DNSSEC; the walk from the root once they
 * are seen to strip what proves anything, for the life of the process.
 *
 * Only what they say of the root itself shows that: the root is signed, and
 * nobody else can change it. What any other zone lacks may be that zone's
 * fault, and so is a reason to look at the root, and none to give up servers.
 */
import { isWithin } from "./labels.ts";
import { type Message, type Name, type Question, TYPE } from "./message.ts";
import type { Source, Sourced } from "./source.ts";

/** What was found of forwarders, and of the way to the root, holds so long. */
const LOOK_AGAIN_MS = 60_000;

const ROOT_KEYS: Question = { name: "", type: TYPE.DNSKEY };
/**
 * What a server that strips nothing answers with signatures: the root's keys,
 * a DS (or a proof that there is none), and a proof that a type is not there.
 */
const OF_THE_ROOT: readonly Question[] = [
  ROOT_KEYS,
  { name: "com", type: TYPE.DS },
  { name: "", type: TYPE.MX },
];

/** Two ways to ask, and when to go which. */
export interface Automatic {
  /** Asks forwarders, or walks once they strip. */
  readonly source: Source;
  /** Walks; for what is bogus as forwarders say it, which is also looked into. */
  readonly second: Source;
  hasSwitched(): boolean;
}

/** See the file's header. */
export function automatic(
  { forward, recurse, unsigned = [], onStrips }: {
    forward: Source;
    recurse: Source;
    /** Domains that only forwarders know: never walked. */
    unsigned?: readonly Name[];
    /** Called once, with what was seen. */
    onStrips: (seen: string) => void;
  },
): Automatic {
  let strips = false;
  let lookedUntilMs = 0;
  let looking: Promise<void> | undefined;
  let root: { got: Promise<Sourced>; untilMs: number } | undefined;
  // Where nobody lets us walk, each bogus answer would cost the whole wait.
  const askRoot = async () => {
    const nowMs = performance.now();
    if (root === undefined || nowMs > root.untilMs) {
      root = { got: recurse(ROOT_KEYS), untilMs: nowMs + LOOK_AGAIN_MS };
    }
    return await root.got;
  };
  const look = async () => {
    for (const question of OF_THE_ROOT) {
      const seen = strippedOf(question, await forward(question));
      if (seen === undefined) continue;
      // Half of what there is beats nothing at all.
      if ((await askRoot()).kind === "failed") return;
      strips = true;
      onStrips(seen);
      return;
    }
  };
  const lookOnce = async () => {
    if (strips || performance.now() < lookedUntilMs) return;
    looking ??= look().finally(() => {
      looking = undefined;
      lookedUntilMs = performance.now() + LOOK_AGAIN_MS;
    });
    await looking;
  };
  const source: Source = async (question) => {
    if (unsigned.some((domain) => isWithin(question.name, domain))) {
      return await forward(question);
    }
    if (strips) return await recurse(question);
    const got = await forward(question);
    if (isSuspicious(question, got)) await lookOnce();
    // Another question may have shown it meanwhile, too.
    return strips ? await recurse(question) : got;
  };
  const second: Source = async (question) => {
    await lookOnce();
    const got = await askRoot();
    return got.kind === "failed" ? got : await recurse(question);
  };
  return { source, second, hasSwitched: () => strips };
}

/** True of an answer about keys that a good forwarder might not have given. */
function isSuspicious(question: Question, got: Sourced): boolean {
  const isOfKeys = question.type === TYPE.DS || question.type === TYPE.DNSKEY;
  return isOfKeys && strippedOf(question, got) !== undefined;
}

/** What shows that signatures were stripped; undefined if nothing does. */
export function strippedOf(
  question: Question,
  got: Sourced,
): string | undefined {
  const what = WORDS.get(question.type)?.(question.name || "the root") ??
    "what is asked";
  if (got.kind === "failed") {
    // Nobody who knows DNSSEC refuses to say keys.
    return ["REFUSED", "NOTIMP", "FORMERR"].includes(got.status)
      ? `${what}: answered with ${got.status}`
      : undefined;
  }
  if (got.isBelieved) return undefined;
  const { answer, authority } = got.message;
  const has = answer.some((record) =>
    record.type === question.type && record.name === question.name
  );
  if (has) {
    return isSigned(answer, question)
      ? undefined
      : `${what}: came without signatures`;
  }
  return hasSignedDenial(authority)
    ? undefined
    : `${what}: said not to be there, without proof`;
}

const WORDS: ReadonlyMap<number, (zone: string) => string> = new Map([
  [TYPE.DNSKEY, (zone: string) => `the keys of ${zone}`],
  [TYPE.DS, (zone: string) => `the DS records of ${zone}`],
  [TYPE.MX, (zone: string) => `the MX records of ${zone}`],
]);

/** True if a signature over the asked records is there, whatever it is worth. */
function isSigned(
  answer: Message["answer"],
  { name, type }: Question,
): boolean {
  return answer.some((record) =>
    record.name === name && coveredBy(record) === type
  );
}

function hasSignedDenial(authority: Message["authority"]): boolean {
  const covered = authority.map(coveredBy);
  return covered.includes(TYPE.NSEC) || covered.includes(TYPE.NSEC3);
}

/** The type that a signature is over; undefined of other records. */
function coveredBy(
  { type, data }: Message["answer"][number],
): number | undefined {
  return type === TYPE.RRSIG ? (data[0]! << 8) | data[1]! : undefined;
}
