/** What the zones of the DNSSEC lab are made of. */
import { isBelow } from "../../mod/dns/labels.ts";
import {
  type Message,
  type Name,
  type Question,
  type ResourceRecord,
  TYPE,
} from "../../mod/dns/message.ts";
import { record } from "../../mod/dns/message_fixture.ts";
import { readSignature } from "../../mod/dns/rrsig.ts";
import {
  dsFor,
  makeKey,
  type Nsec3Choice,
  type SignatureFields,
  type SigningKey,
  signZone,
  zoneText,
} from "../../mod/dns/signer_fixture.ts";
import type { Ask } from "./dnssec_lab_fixture.ts";

/** A zone before it is signed; what is not given is ordinary. */
export interface Draft {
  readonly name: Name;
  /** In place of the usual ones; `@` is the zone's name. */
  readonly records?: readonly string[];
  /** Beside the usual ones. */
  readonly more?: readonly string[];
  /** None: the zone is not signed. */
  readonly keys?: readonly SigningKey[];
  /** Of the keys, those that sign what. */
  readonly signers?: (covered: number) => readonly SigningKey[];
  readonly nsec3?: Partial<Nsec3Choice>;
  readonly tweak?: (fields: SignatureFields) => SignatureFields | undefined;
  /** What the parent has for it. */
  readonly ds?: readonly ResourceRecord[];
  /** The whole zone, signed by somebody else. */
  readonly ready?: string;
  /** The last word on the records. */
  readonly edit?: (records: ResourceRecord[]) => ResourceRecord[];
}

/** What all zones have. */
const USUAL = [
  "@ 300 SOA ns.test. root.test. 1 3600 600 86400 60",
  "@ 300 NS ns.test.",
  "@ 300 MX 10 mx.@",
  "@ 300 TXT v=spf1",
  "mx.@ 300 A 192.0.2.1",
  "mx.@ 300 AAAA 2001:db8::1",
  "_25._tcp.mx.@ 300 TLSA 3 1 1 0011223344556677889900112233445566778899001122334455667788990011",
  "a.b.ent.@ 300 A 192.0.2.2",
  "*.wild.@ 300 A 192.0.2.3",
  "host.wild.@ 300 TXT here",
  "alias.@ 300 CNAME mx.@",
  "gone.@ 300 CNAME nowhere.@",
  "tree.@ 300 DNAME other.@",
  "mx.other.@ 300 A 192.0.2.4",
  "*.star.@ 300 CNAME mx.@",
];

/** Seconds since 1970, when the lab was made. */
export const NOW_S = Math.floor(Date.now() / 1_000);

let ordinaryKey: SigningKey | undefined;

/** One key for all zones for which it does not matter; the quickest to sign. */
export function ordinary(): SigningKey {
  return ordinaryKey ??= makeKey(15);
}

/**
 * Signs everything; texts by name, and the root's DS in words.
 *
 * @param isFleeting Nothing but keys and DS has a TTL
 */
export function signed(
  drafts: readonly Draft[],
  { isFleeting = false }: { isFleeting?: boolean } = {},
): { zones: Record<string, string>; anchor: string } {
  const keyOfRoot = makeKey(13);
  const all: Draft[] = [
    { name: "", keys: [keyOfRoot], records: USUAL.slice(0, 2) },
    {
      name: "test",
      records: [...USUAL.slice(0, 2), "ns.@ 300 A 127.0.0.1"],
    },
    ...drafts,
  ];
  const zones: Record<string, string> = {};
  for (const draft of all) {
    if (draft.ready !== undefined) {
      zones[draft.name] = draft.ready;
      continue;
    }
    const records = recordsOf(draft, all);
    zones[draft.name || "."] = zoneText(
      isFleeting ? records.map(fleeting) : records,
    );
  }
  const { data } = dsFor("", keyOfRoot);
  const tag = (data[0]! << 8) | data[1]!;
  const digest = data.subarray(4).toHex();
  return { zones, anchor: `. IN DS ${tag} 13 2 ${digest}` };
}

/** A TTL that is below the signed one is none of a signature's business. */
function fleeting(record: ResourceRecord): ResourceRecord {
  const { type, data } = record;
  const of = type === TYPE.RRSIG ? readSignature(data)?.covered : type;
  return of === TYPE.DNSKEY || of === TYPE.DS ? record : { ...record, ttl: 0 };
}

function recordsOf(draft: Draft, all: readonly Draft[]): ResourceRecord[] {
  const { name, keys = [ordinary()], nsec3, edit = (same) => same } = draft;
  const plain = [...draft.records ?? USUAL, ...draft.more ?? []]
    .map((line) =>
      record(line.replaceAll("@", `${name}.`).replaceAll("..", "."))
    );
  for (const child of all) {
    if (parentIn(all, child) !== draft) continue;
    plain.push(record(`${child.name}. 300 NS ns.test.`));
    const [key = undefined] = child.keys ?? [ordinary()];
    const usual = key === undefined ? [] : [dsFor(child.name, key)];
    plain.push(...child.ds ?? usual);
  }
  if (keys.length === 0) return edit(plain);
  return edit(signZone({
    name,
    records: plain,
    keys,
    nowS: NOW_S,
    ...(draft.signers && { signers: draft.signers }),
    ...(draft.tweak && { tweak: draft.tweak }),
    nsec3: nsec3 && { salt: "", iterations: 0, isOptOut: false, ...nsec3 },
  }));
}

function parentIn(all: readonly Draft[], child: Draft): Draft | undefined {
  let parent: Draft | undefined;
  for (const one of all) {
    const isNearer = parent === undefined ||
      one.name.length > parent.name.length;
    if (isBelow(child.name, one.name) && isNearer) parent = one;
  }
  return parent;
}

/** A way to change a message, for a situation in this zone. */
export type Edit = (
  message: Message,
  asked: { question: Question; ask: Ask; zone: Name },
) => Message | Promise<Message>;

/** Changes all three sections. */
export function mapped(
  message: Message,
  change: (records: readonly ResourceRecord[]) => readonly ResourceRecord[],
): Message {
  return {
    ...message,
    answer: change(message.answer),
    authority: change(message.authority),
    additional: change(message.additional),
  };
}

/** Only answers to questions of this type (and name, `@` is the zone). */
export function only(type: number, name: string, edit: Edit): Edit {
  return (message, asked) => {
    const wanted = name.replace("@", asked.zone);
    const { question } = asked;
    return question.type === type && question.name === wanted
      ? edit(message, asked)
      : message;
  };
}

/** Leaves out records of these types, and signatures over them. */
export function without(...types: number[]): Edit {
  return (message) =>
    mapped(
      message,
      (records) =>
        records.filter((one) =>
          !types.includes(one.type) &&
          !(one.type === TYPE.RRSIG &&
            types.includes(readSignature(one.data)?.covered ?? 0))
        ),
    );
}

/** Leaves out signatures over these types, or over all. */
export function unsigned(...types: number[]): Edit {
  return (message) =>
    mapped(
      message,
      (records) =>
        records.filter((one) =>
          one.type !== TYPE.RRSIG ||
          (types.length > 0 &&
            !types.includes(readSignature(one.data)?.covered ?? 0))
        ),
    );
}

/** Answers with what another question brought; `@` is the zone. */
export function replayed(
  name: string,
  type: number,
  change: Partial<Message> = {},
): Edit {
  return async (message, { ask, zone }) => {
    const other = await ask({ name: name.replace("@", zone), type });
    return {
      ...message,
      rcode: other.rcode,
      answer: other.answer,
      authority: other.authority,
      ...change,
    };
  };
}
