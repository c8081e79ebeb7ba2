/** The validator: whether an answer is what its zone signed, RFC 4035 §5. */
import { Budget } from "./budget.ts";
import {
  type Denials,
  denialText,
  isOfDenial,
  provenOf,
  provenWildcard,
  readDenials,
} from "./denial.ts";
import type {
  Finding,
  Judgement,
  Validator,
  ValidatorOptions,
} from "./judgement.ts";
import { isBelow, isName, isWithin, parentOf } from "./labels.ts";
import type { Message, Name, Question } from "./message.ts";
import { RCODE, TYPE } from "./message.ts";
import { readTarget } from "./rdata.ts";
import {
  type Checks,
  pickRrset,
  readSignature,
  type Rrset,
  rrsetText,
  verifyRrset,
  wrongIn,
  zoneText,
} from "./rrsig.ts";
import {
  type SignedZone,
  SignedZones,
  type ZoneState,
} from "./signed_zones.ts";

/** Lines and characters of a proof, as the calls carry them. */
const MAX_LINES = 60;
const MAX_LINE = 300;

/** A validator with nothing learned yet. */
export function validator(options: ValidatorOptions): Validator {
  const zones = new SignedZones(options);
  return {
    async judge(question, message) {
      const step = stepOf(question, message);
      if (step === undefined) {
        return nothing(
          "indeterminate",
          `the answer for ${rrsetText(question)} makes no sense; its ` +
            `response code is ${message.rcode}`,
        );
      }
      const zone = await zones.zoneOf(signerOf(question, step, message));
      const judgement = judged(zone, { question, message, step, options });
      return concluded(
        zone.kind === "secure" && judgement.security === "insecure"
          ? await unlessBelow(judgement, { zone, zones, question })
          : judgement,
      );
    },
  };
}

/**
 * A zone that does not say what it has may only be believed so of itself: its
 * vague denial must not hide what a signed zone below it says clearly.
 */
async function unlessBelow(
  judgement: Judgement,
  { zone, zones, question }: {
    zone: SignedZone;
    zones: SignedZones;
    question: Question;
  },
): Promise<Judgement> {
  const real = await zones.zoneOf(ownerOf(question));
  if (real.kind !== "secure" || real.zone === zone.zone) return judgement;
  const why = `${zoneText(zone.zone)} answers for ${rrsetText(question)}, ` +
    `which is ${zoneText(real.zone)}'s`;
  return nothing("bogus", why, real.proof);
}

/** The name whose zone has the records: of DS, the one above. */
function ownerOf({ name, type }: Question): Name {
  return type === TYPE.DS ? parentOf(name) ?? "" : name;
}

/** What a message says of the question, before anybody believes it. */
type Step =
  | { readonly kind: "records"; readonly rrset: Rrset }
  | {
    readonly kind: "alias";
    readonly rrset: Rrset;
    readonly target: Name;
  }
  | { readonly kind: "no-data" }
  | { readonly kind: "no-such-name" };

function stepOf(question: Question, message: Message): Step | undefined {
  const { name } = question;
  const rrset = pickRrset(message.answer, question);
  if (rrset !== undefined) {
    // Records with an error are a contradiction.
    return message.rcode === RCODE.NOERROR
      ? { kind: "records", rrset }
      : undefined;
  }
  const alias = pickRrset(message.answer, { name, type: TYPE.CNAME });
  if (!alias?.signatures.length) {
    const redirected = redirection(question, message);
    if (redirected !== undefined) return redirected;
  }
  if (alias !== undefined) {
    const target = readTarget(alias.records[0]!.data);
    // Two aliases at one name contradict each other (RFC 2181 §10.1).
    if (alias.records.length === 1 && target !== undefined) {
      return { kind: "alias", rrset: alias, target };
    }
    return undefined;
  }
  switch (message.rcode) {
    case RCODE.NOERROR:
      return { kind: "no-data" };
    case RCODE.NXDOMAIN:
      return { kind: "no-such-name" };
    default:
      return undefined;
  }
}

/** The alias that a DNAME above the name makes, RFC 6672 §2.2, §5.3.1. */
function redirection(
  { name }: Question,
  { answer }: Message,
): Step | undefined {
  const above = answer.find((record) =>
    record.type === TYPE.DNAME && isBelow(name, record.name)
  );
  if (above === undefined) return undefined;
  const rrset = pickRrset(answer, above)!;
  const to = readTarget(above.data);
  if (rrset.records.length > 1 || to === undefined) return undefined;
  const end = above.name === "" ? name.length : -above.name.length - 1;
  const kept = name.slice(0, end);
  const target = to === "" ? kept : `${kept}.${to}`;
  return isName(target) ? { kind: "alias", rrset, target } : undefined;
}

/**
 * The name whose zone must have signed this: the signer that the signatures
 * name, to save looking for zones below it; the asked name itself if nothing
 * is signed, because then it must be proven that its zone is not.
 */
function signerOf(question: Question, step: Step, message: Message): Name {
  const start = ownerOf(question);
  const signers = "rrset" in step
    ? step.rrset.signatures.map(({ signer }) => signer)
    : denialSigners(message);
  return signers.filter((signer) => isWithin(start, signer))
    .reduce<Name | undefined>(
      (best, signer) =>
        best === undefined || signer.length > best.length ? signer : best,
      undefined,
    ) ?? start;
}

function denialSigners({ authority }: Message): Name[] {
  return authority.flatMap(({ type, data }) => {
    if (type !== TYPE.RRSIG) return [];
    const signature = readSignature(data);
    return signature?.covered === TYPE.NSEC ||
        signature?.covered === TYPE.NSEC3
      ? [signature.signer]
      : [];
  });
}

interface Asked {
  readonly question: Question;
  readonly message: Message;
  readonly step: Step;
  readonly options: ValidatorOptions;
}

function judged(zone: ZoneState, asked: Asked): Judgement {
  switch (zone.kind) {
    case "secure":
      return ofSigned(zone, asked);
    case "insecure":
      return {
        security: "insecure",
        finding: findingOf(asked.step),
        why: zone.why,
        proof: zone.proof,
        untilS: zone.untilS,
      };
    case "bogus":
    case "indeterminate":
      return nothing(zone.kind, zone.why, zone.proof);
  }
}

function ofSigned(
  zone: SignedZone,
  { question, message, step, options }: Asked,
): Judgement {
  const checks = { by: zone, nowS: options.nowS(), budget: new Budget() };
  const judgement = "rrset" in step
    ? ofRecords(zone, { message, step, checks })
    : ofDenial(zone, { question, message, step, checks });
  if (judgement.security === "bogus") return judgement;
  const wrong = wrongIn(
    message.answer,
    checks,
    (one) => "rrset" in step && rrsetText(one) === rrsetText(step.rrset),
  ) ??
    wrongIn(message.authority, checks, (one) => isOfDenial(one, zone.zone));
  return wrong === undefined ? judgement : nothing("bogus", wrong, zone.proof);
}

/** `ttl` cuts what the message says of its records. */
function findingOf(step: Step, ttl = Infinity): Finding {
  switch (step.kind) {
    case "records":
      return {
        kind: "records",
        records: step.rrset.records.map((record) => ({
          ...record,
          ttl: Math.min(record.ttl, ttl),
        })),
      };
    case "alias":
      return { kind: "alias", target: step.target };
    case "no-data":
    case "no-such-name":
      return { kind: step.kind };
  }
}

function ofRecords(
  zone: SignedZone,
  { message, step, checks }: {
    message: Message;
    step: Step & { rrset: Rrset };
    checks: Checks;
  },
): Judgement {
  const { rrset } = step;
  const verified = verifyRrset(rrset, checks);
  if (!verified.ok) return nothing("bogus", verified.why, zone.proof);
  const { encloser, ttl, key } = verified;
  const judgement: Judgement = {
    security: "secure",
    finding: findingOf(step, ttl),
    why: "",
    proof: [
      ...zone.proof,
      `${rrsetText(rrset)} signed by ${zoneText(zone.zone)} key ${key.tag}`,
    ],
    untilS: Math.min(zone.untilS, verified.untilS),
  };
  if (encloser === undefined) return judgement;
  const read = readDenials(message, checks);
  if (!read.ok) return nothing("bogus", read.why, zone.proof);
  return ofWildcard(judgement, {
    denials: read.denials,
    name: rrset.name,
    encloser,
  });
}

function ofWildcard(
  judgement: Judgement,
  { denials, name, encloser }: {
    denials: Denials;
    name: Name;
    encloser: Name;
  },
): Judgement {
  const what = `${zoneText(name)} comes from a wildcard`;
  const proven = provenWildcard(denials, { name, encloser });
  const untilS = Math.min(judgement.untilS ?? 0, denials.untilS);
  switch (proven) {
    case "secure":
      return {
        ...judgement,
        proof: [
          ...judgement.proof,
          `nothing closer than the wildcard, by ${denialText(denials)}`,
        ],
        untilS,
      };
    case "insecure":
      return {
        ...judgement,
        security: "insecure",
        why: `${what}, and its zone does not say whether there is more`,
        untilS,
      };
    case "unproven":
      return nothing(
        "bogus",
        `${what}, and nothing proves that there is nothing closer`,
        judgement.proof,
      );
  }
}

function ofDenial(
  zone: SignedZone,
  { question, message, step, checks }: {
    question: Question;
    message: Message;
    step: { kind: "no-data" | "no-such-name" };
    checks: Checks;
  },
): Judgement {
  const read = readDenials(message, checks);
  if (!read.ok) return nothing("bogus", read.why, zone.proof);
  const { denials } = read;
  const isNameError = step.kind === "no-such-name";
  const proven = provenOf(denials, question, isNameError);
  if (proven.kind === "unproven") {
    const why = isNameError
      ? `nothing proves that ${zoneText(question.name)} does not exist`
      : `nothing proves that there is no ${rrsetText(question)}`;
    return nothing("bogus", why, zone.proof);
  }
  const what = proven.kind === "no-data"
    ? rrsetText(question)
    : zoneText(question.name);
  const line = `${what} proven absent by ${denialText(denials)}`;
  return {
    security: proven.isSecure ? "secure" : "insecure",
    finding: { kind: proven.kind },
    why: proven.isSecure
      ? ""
      : `${zoneText(zone.zone)} does not say which unsigned zones it has`,
    proof: proven.isSecure ? [...zone.proof, line] : zone.proof,
    untilS: Math.min(zone.untilS, denials.untilS),
  };
}

function nothing(
  security: "bogus" | "indeterminate",
  why: string,
  proof: readonly string[] = [],
): Judgement {
  return { security, finding: { kind: "nothing" }, why, proof };
}

/** Within the bounds of the calls. */
function concluded(judgement: Judgement): Judgement {
  return {
    ...judgement,
    why: judgement.why.slice(0, MAX_LINE),
    proof: judgement.proof.slice(0, MAX_LINES)
      .map((line) => line.slice(0, MAX_LINE)),
  };
}
