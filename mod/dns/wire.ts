/**
 * Just enough of the DNS wire format to prove that something is *not* there.
 *
 * `Deno.resolveDns` reports NXDOMAIN, NODATA, SERVFAIL, REFUSED and a lame
 * referral with one and the same `NotFound` (seen on Deno 2.9.6 against nsd;
 * `lookup_io_test.ts` keeps watch). Mail must tell them apart: "no MX" allows
 * the address fallback of RFC 5321 §5.1, a failure forbids it. So the question
 * is put once more here, and only the header and the records' types are read.
 *
 * Pure. Refuses to follow compression pointers: names are skipped, never read,
 * so no loop is possible. Not: EDNS (RFC 6891), DNSSEC.
 */

/** Record types asked for, by their numbers in RFC 1035 §3.2.2 and RFC 3596. */
export const TYPE = { A: 1, MX: 15, AAAA: 28 } as const;

/** See {@link TYPE}. */
export type RecordType = keyof typeof TYPE;

/** One question, with the id that its answer must carry. */
export interface Question {
  /** 0 to 65,535, unpredictable. */
  readonly id: number;
  /** Without the trailing dot; ASCII, labels of 1 to 63 octets. */
  readonly name: string;
  readonly type: RecordType;
}

/**
 * What an answer proves about the absence of records.
 *
 * - `no-name`: NXDOMAIN, RFC 2308 §2.1 (of the last name of a CNAME chain,
 *   RFC 6604)
 * - `no-data`: the name is there, records of this type are not, RFC 2308 §2.2
 * - `unclear`: anything else, first of all SERVFAIL and referrals
 */
export type Absence = "no-name" | "no-data" | "unclear";

const HEADER = 12;
const SOA = 6;
const IN = 1;

/**
 * Encodes a question with recursion desired (RFC 1035 §4.1).
 *
 * @throws {RangeError} If the name has an empty or over-long label: a caller
 * bug, see `name.ts`
 */
export function encodeQuestion(question: Question): Uint8Array<ArrayBuffer> {
  const body: number[] = [];
  for (const label of question.name.split(".")) {
    if (label.length < 1 || label.length > 63) {
      throw new RangeError(`Cannot ask: label of ${label.length} octets`);
    }
    body.push(label.length);
    for (let i = 0; i < label.length; i++) body.push(label.charCodeAt(i));
  }
  body.push(0, 0, TYPE[question.type], 0, IN);
  const { id } = question;
  return Uint8Array.from(
    [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...body],
  );
}

/** Reads what `message`, the answer to `question`, proves. */
export function readAbsence(message: Uint8Array, question: Question): Absence {
  const asked = encodeQuestion(question).subarray(HEADER);
  if (message.length < HEADER + asked.length) return "unclear";
  const at = (offset: number) => (message[offset]! << 8) | message[offset + 1]!;
  const flags = at(2);
  const isAnswer = at(0) === question.id && (flags & 0x8000) !== 0 &&
    (flags & 0x7a00) === 0; // opcode QUERY, not truncated
  if (!isAnswer || at(4) !== 1) return "unclear";
  if (!sameQuestion(message.subarray(HEADER), asked)) return "unclear";
  const rcode = flags & 15;
  if (rcode === 3) return "no-name";
  if (rcode !== 0) return "unclear";
  const types = recordTypes(message, HEADER + asked.length, [at(6), at(8)]);
  if (types === undefined) return "unclear";
  const [answers, authority] = types;
  if (answers.includes(TYPE[question.type])) return "unclear";
  // Without a SOA it is a referral or half a CNAME chain, not a proof.
  return authority.includes(SOA) ? "no-data" : "unclear";
}

// Case may differ: some servers answer in the zone file's spelling. Label
// lengths (at most 63) are below the letters, so folding cannot confuse them.
function sameQuestion(got: Uint8Array, asked: Uint8Array): boolean {
  for (let i = 0; i < asked.length; i++) {
    if (fold(got[i]!) !== fold(asked[i]!)) return false;
  }
  return true;
}

function fold(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** Types of the records of the answer and authority sections, class IN. */
function recordTypes(
  message: Uint8Array,
  start: number,
  counts: readonly [number, number],
): [number[], number[]] | undefined {
  const sections: [number[], number[]] = [[], []];
  let at = start;
  for (const section of [0, 1] as const) {
    for (let n = 0; n < counts[section]; n++) {
      const fixed = skipName(message, at);
      if (fixed === undefined || fixed + 10 > message.length) return undefined;
      const length = (message[fixed + 8]! << 8) | message[fixed + 9]!;
      at = fixed + 10 + length;
      if (at > message.length) return undefined;
      const type = (message[fixed]! << 8) | message[fixed + 1]!;
      const kind = (message[fixed + 2]! << 8) | message[fixed + 3]!;
      if (kind === IN) sections[section].push(type);
    }
  }
  return sections;
}

/** Offset behind the name at `at`. */
function skipName(message: Uint8Array, at: number): number | undefined {
  while (at < message.length) {
    const octet = message[at]!;
    if (octet === 0) return at + 1;
    if (octet >= 0xc0) return at + 2;
    if (octet > 63) return undefined;
    at += 1 + octet;
  }
  return undefined;
}
