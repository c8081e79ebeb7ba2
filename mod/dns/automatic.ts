/**
 * Forwarders while they are good for DNSSEC; the walk from the root once one
 * is seen to strip signatures, for the life of the process.
 */
import { type Message, type Question, TYPE } from "./message.ts";
import type { Source, Sourced } from "./source.ts";

/** Asks forwarders, or walks once they strip. */
export function automatic(
  { forward, recurse, onStrips }: {
    forward: Source;
    recurse: Source;
    /** Called once, with what was seen. */
    onStrips: (seen: string) => void;
  },
): { source: Source; hasSwitched(): boolean } {
  let strips = false;
  const source: Source = async (question) => {
    if (strips) return await recurse(question);
    const got = await forward(question);
    // Another question may have shown it meanwhile.
    if (strips) return await recurse(question);
    const seen = strippedOf(question, got);
    if (seen === undefined) return got;
    strips = true;
    onStrips(seen);
    return await recurse(question);
  };
  return { source, hasSwitched: () => strips };
}

/** What shows that signatures were stripped; undefined if nothing does. */
export function strippedOf(
  question: Question,
  got: Sourced,
): string | undefined {
  const isRoot = question.name === "" && question.type === TYPE.DNSKEY;
  if (got.kind === "failed") {
    // Nobody who knows DNSSEC refuses to say the root's keys.
    return isRoot && ["REFUSED", "NOTIMP", "FORMERR"].includes(got.status)
      ? `the root's keys are answered with ${got.status}`
      : undefined;
  }
  if (got.isBelieved) return undefined;
  if (question.type !== TYPE.DS && question.type !== TYPE.DNSKEY) {
    return undefined;
  }
  const { message } = got;
  const has = message.answer.some((record) =>
    record.type === question.type && record.name === question.name
  );
  if (!has) return isRoot ? "the root is said to have no keys" : undefined;
  if (isSigned(message, question)) return undefined;
  return question.type === TYPE.DS
    ? `the DS records of ${question.name} came without signatures`
    : `the keys of ${question.name || "the root"} came without signatures`;
}

/** True if a signature over the asked records is there, whatever it is worth. */
function isSigned({ answer }: Message, { name, type }: Question): boolean {
  return answer.some(({ name: owner, type: kind, data }) =>
    kind === TYPE.RRSIG && owner === name &&
    ((data[0]! << 8) | data[1]!) === type
  );
}
