/**
 * Situations that a validator gets into, each in a zone of its own. What each
 * should come to stands here; that another validator thinks so, too, is what
 * the lab is for.
 */
import { joinOctets } from "../../mod/core/octets.ts";
import { type Message, type Name, TYPE } from "../../mod/dns/message.ts";
import { record } from "../../mod/dns/message_fixture.ts";
import {
  dsFor,
  type KeyPair,
  makeKey,
  makeRsaPair,
  type SignatureFields,
  type SigningKey,
  tagOf,
} from "../../mod/dns/signer_fixture.ts";
import { type LdnsChoice, ldnsZones } from "./dnssec_ldns.ts";
import {
  type Draft,
  type Edit,
  mapped,
  NOW_S,
  only,
  ordinary,
  replayed,
  unsigned,
  without,
} from "./dnssec_zones.ts";

/** One row. */
export interface Situation {
  readonly name: string;
  readonly want: "secure" | "insecure" | "bogus";
  /** The zones of it; the first is named as given, others below it. */
  readonly zones: (zone: Name) => readonly Draft[];
  /** Rows that give the same here share the first one's zone. */
  readonly shared?: string;
  /** `@` is the zone. */
  readonly ask: string;
  readonly type?: number;
  readonly edit?: Edit;
  /**
   * Where unbound, as it comes, is laxer than RFC 4509 §3: asked is one that is
   * told to be strict.
   */
  readonly isHardened?: true;
  /** What unbound says, where it does not do what an RFC demands. */
  readonly unbounds?: "secure";
  /** Octets to shout in answers. */
  readonly shout?: string;
}

const DAY_S = 86_400;
const {
  A,
  AAAA,
  CNAME,
  DNAME,
  DNSKEY,
  DS,
  MX,
  NS,
  NSEC,
  NSEC3,
  SOA,
  TLSA,
  TXT,
} = TYPE;

/** An ordinary zone, with what is different. */
function zone(different: Omit<Draft, "name"> = {}): Situation["zones"] {
  return (name) => [{ ...different, name }];
}

/** An ordinary zone with another below it, `sub`. */
function family(
  parent: Omit<Draft, "name">,
  child: Omit<Draft, "name">,
): Situation["zones"] {
  return (name) => [
    { ...parent, name },
    { ...child, name: `sub.${name}` },
  ];
}

/** Changes signatures over this type only. */
function onType(
  type: number,
  change: (fields: SignatureFields) => SignatureFields | undefined,
): NonNullable<Draft["tweak"]> {
  return (fields) => fields.covered === type ? change(fields) : fields;
}

/** Another key under the same name and number: its signatures are wrong. */
function pretending(key: SigningKey): SigningKey {
  const other = makeKey(key.algorithm);
  return { ...key, sign: other.sign };
}

const unsignedZone: Omit<Draft, "name"> = { keys: [] };

function algorithms(): Situation[] {
  return [5, 7, 8, 10, 13, 14, 15, 16].map((algorithm) => ({
    name: `algorithm ${algorithm}`,
    want: "secure",
    zones: zone({ keys: [makeKey(algorithm)] }),
    ask: "mx.@",
  }));
}

function rsaSizes(): Situation[] {
  const sized = (pair: KeyPair) => zone({ keys: [makeKey(8, { pair })] });
  const small = makeKey(8, { pair: makeRsaPair(1_016) });
  const good = ordinary();
  return [
    {
      name: "an RSA key of 1016 bits",
      want: "insecure",
      zones: zone({ keys: [small] }),
      ask: "mx.@",
      unbounds: "secure",
    },
    {
      name: "an RSA key of 1016 bits, and a good key kept back",
      want: "bogus",
      zones: (name) => [{
        name,
        keys: [good, small],
        ds: [dsFor(name, good), dsFor(name, small)],
      }],
      ask: "mx.@",
      edit: only(
        DNSKEY,
        "@",
        (message) =>
          mapped(
            message,
            (records) =>
              records.filter((one) =>
                one.type !== DNSKEY || one.data.length > 60
              ),
          ),
      ),
    },
    {
      name: "an RSA key of 1024 bits",
      want: "secure",
      zones: sized(makeRsaPair(1_024)),
      ask: "mx.@",
    },
    {
      name: "an RSA key of 1280 bits with exponent 3",
      want: "secure",
      zones: sized(makeRsaPair(1_280, 3)),
      ask: "mx.@",
    },
  ];
}

function digests(): Situation[] {
  const key = ordinary();
  const wrong = (name: Name, digestType: number) => {
    const ds = dsFor(name, key, digestType);
    return { ...ds, data: ds.data.with(10, ds.data[10]! ^ 1) };
  };
  const row = (
    what: string,
    want: Situation["want"],
    ds: (name: Name) => Draft["ds"],
  ): Situation => ({
    name: `DS: ${what}`,
    want,
    zones: (name) => [{ name, ds: ds(name) ?? [] }],
    ask: "mx.@",
  });
  const unknown = (name: Name) => ({
    ...dsFor(name, key),
    data: dsFor(name, key).data.with(3, 200),
  });
  const foreign = (name: Name) => ({
    ...dsFor(name, key),
    data: dsFor(name, key).data.with(2, 200),
  });
  return [
    row("SHA-1", "secure", (name) => [dsFor(name, key, 1)]),
    row("SHA-256", "secure", (name) => [dsFor(name, key, 2)]),
    row("SHA-384", "secure", (name) => [dsFor(name, key, 4)]),
    row("SHA-1 and SHA-256", "secure", (name) => [
      dsFor(name, key, 1),
      dsFor(name, key, 2),
    ]),
    {
      ...row("SHA-1 right, SHA-256 wrong", "bogus", (name) => [
        dsFor(name, key, 1),
        wrong(name, 2),
      ]),
      isHardened: true,
    },
    row("SHA-1 wrong, SHA-256 right", "secure", (name) => [
      wrong(name, 1),
      dsFor(name, key, 2),
    ]),
    row("SHA-256 right, SHA-384 wrong", "secure", (name) => [
      dsFor(name, key, 2),
      wrong(name, 4),
    ]),
    row("wrong digest", "bogus", (name) => [wrong(name, 2)]),
    row("one wrong digest, one right", "secure", (name) => [
      wrong(name, 2),
      dsFor(name, key, 2),
    ]),
    row("unknown digest only", "insecure", (name) => [unknown(name)]),
    row("unknown digest and a known one", "secure", (name) => [
      unknown(name),
      dsFor(name, key),
    ]),
    row("unknown algorithm only", "insecure", (name) => [foreign(name)]),
    row("unknown algorithm and a known one", "secure", (name) => [
      foreign(name),
      dsFor(name, key),
    ]),
    row("of a key that is not there", "bogus", (name) => [
      dsFor(name, makeKey(13)),
    ]),
    row("of a key that is not there, and of one that is", "secure", (name) => [
      dsFor(name, makeKey(13)),
      dsFor(name, key),
    ]),
    row("missing", "insecure", () => []),
    row("for an algorithm that the zone does not have", "bogus", (name) => [
      { ...foreign(name), data: foreign(name).data.with(2, 13) },
    ]),
  ];
}

function times(): Situation[] {
  const row = (
    what: string,
    want: Situation["want"],
    tweak: Draft["tweak"],
  ): Situation => ({
    name: `times: ${what}`,
    want,
    zones: zone(tweak && { tweak }),
    ask: "mx.@",
  });
  const expired = (fields: SignatureFields) => ({
    ...fields,
    expirationS: NOW_S - 2 * DAY_S,
  });
  return [
    row("expired", "bogus", onType(A, expired)),
    row(
      "expired since an hour or less",
      "secure",
      onType(A, (fields) => ({ ...fields, expirationS: NOW_S - 3_000 })),
    ),
    row(
      "valid in an hour or less",
      "secure",
      onType(A, (fields) => ({ ...fields, inceptionS: NOW_S + 3_000 })),
    ),
    row("keys' signature expired", "bogus", onType(DNSKEY, expired)),
    row(
      "not yet valid",
      "bogus",
      onType(A, (fields) => ({ ...fields, inceptionS: NOW_S + 2 * DAY_S })),
    ),
    row(
      "ends before it begins",
      "bogus",
      onType(A, (fields) => ({
        ...fields,
        inceptionS: NOW_S + 2 * DAY_S,
        expirationS: NOW_S + DAY_S,
      })),
    ),
    row(
      "valid for 50 years",
      "secure",
      onType(A, (fields) => ({
        ...fields,
        inceptionS: NOW_S - 2 ** 30,
        expirationS: NOW_S + 2 ** 29,
      })),
    ),
    row(
      "valid for half of what 32 bits can say",
      "bogus",
      onType(A, (fields) => ({
        ...fields,
        inceptionS: NOW_S - 2 ** 30,
        expirationS: NOW_S + 2 ** 30,
      })),
    ),
  ];
}

function signatures(): Situation[] {
  const one = ordinary();
  const other = makeKey(13);
  const good = (covered: number) => covered === A;
  const both = (first: SigningKey, second: SigningKey) =>
    zone({
      keys: [one, other],
      signers: (covered) => good(covered) ? [first, second] : [one],
    });
  const tweaked = (
    tweak: (fields: SignatureFields, name: Name) => SignatureFields | undefined,
  ): Situation["zones"] =>
  (name) => [{ name, tweak: onType(A, (fields) => tweak(fields, name)) }];
  return [
    {
      name: "signature by another key",
      want: "bogus",
      zones: zone({
        signers: (covered) => covered === A ? [pretending(one)] : [one],
      }),
      ask: "mx.@",
    },
    {
      name: "signature by a key that is not published",
      want: "bogus",
      zones: zone({ signers: (covered) => covered === A ? [other] : [one] }),
      ask: "mx.@",
    },
    {
      name: "two signatures, both good",
      want: "secure",
      zones: both(one, other),
      ask: "mx.@",
    },
    {
      name: "two signatures, the first bad",
      want: "secure",
      zones: both(pretending(one), other),
      ask: "mx.@",
    },
    {
      name: "two signatures, the second bad",
      want: "secure",
      zones: both(one, pretending(other)),
      ask: "mx.@",
    },
    {
      name: "two signatures, both bad",
      want: "bogus",
      zones: both(pretending(one), pretending(other)),
      ask: "mx.@",
    },
    {
      name: "no signature over the records",
      want: "bogus",
      zones: zone({ tweak: onType(A, () => undefined) }),
      ask: "mx.@",
    },
    {
      name: "no signature over the keys",
      want: "bogus",
      zones: zone({ tweak: onType(DNSKEY, () => undefined) }),
      ask: "mx.@",
    },
    {
      name: "keys signed by a key without DS",
      want: "bogus",
      zones: zone({
        keys: [one, other],
        signers: () => [other],
      }),
      ask: "mx.@",
    },
    {
      name: "labels: one more than the name has",
      want: "bogus",
      zones: tweaked((fields) => ({ ...fields, labels: fields.labels + 1 })),
      ask: "mx.@",
    },
    {
      name: "labels: one less, signed as a wildcard's",
      want: "bogus",
      zones: tweaked((fields) => ({ ...fields, labels: fields.labels - 1 })),
      ask: "mx.@",
    },
    {
      name: "labels: none at all",
      want: "bogus",
      zones: tweaked((fields) => ({ ...fields, labels: 0 })),
      ask: "mx.@",
    },
    {
      name: "signer: the parent",
      want: "bogus",
      zones: (name) => [{
        name,
        keys: [other],
        tweak: onType(A, (fields) => ({ ...fields, signer: "test" })),
      }],
      ask: "mx.@",
    },
    {
      name: "signer: a name below",
      want: "bogus",
      zones: tweaked((fields, name) => ({ ...fields, signer: `mx.${name}` })),
      ask: "mx.@",
    },
    {
      name: "signer: a zone elsewhere",
      want: "bogus",
      zones: tweaked((fields) => ({ ...fields, signer: "sibling.test" })),
      ask: "mx.@",
    },
    {
      name: "a child's key signs the parent's record",
      want: "bogus",
      zones: (name) => [
        {
          name,
          tweak: onType(A, (fields) => ({
            ...fields,
            signer: `sub.${name}`,
          })),
        },
        { name: `sub.${name}` },
      ],
      ask: "mx.@",
    },
    {
      name: "TTL above the signed one",
      want: "secure",
      zones: zone(),
      ask: "mx.@",
      edit: only(
        A,
        "mx.@",
        (message) =>
          mapped(
            message,
            (records) => records.map((one) => ({ ...one, ttl: 80_000 })),
          ),
      ),
    },
    {
      name: "TTL below the signed one",
      want: "secure",
      zones: zone(),
      ask: "mx.@",
      edit: only(
        A,
        "mx.@",
        (message) =>
          mapped(
            message,
            (records) => records.map((one) => ({ ...one, ttl: 7 })),
          ),
      ),
    },
    {
      name: "signed with another original TTL than it says",
      want: "bogus",
      zones: zone(),
      ask: "mx.@",
      edit: only(
        A,
        "mx.@",
        (message) =>
          mapped(
            message,
            (records) =>
              records.map((one) =>
                one.type === TYPE.RRSIG
                  ? { ...one, data: one.data.with(7, one.data[7]! ^ 1) }
                  : one
              ),
          ),
      ),
    },
  ];
}

/** Octets of a public key that make a record have a certain tag. */
function collidingKey(tag: number): SigningKey {
  for (let tries = 0; tries < 200_000; tries++) {
    const publicOctets = crypto.getRandomValues(new Uint8Array(32));
    const pair = { publicOctets, signs: () => () => new Uint8Array(64) };
    const key = makeKey(15, { flags: 256, pair });
    const missing = (tag - tagOf(key.data) + 65_536) % 65_536;
    const last = (publicOctets[30]! << 8) | publicOctets[31]!;
    const fixed = (last + missing) % 65_536;
    publicOctets[30] = fixed >> 8;
    publicOctets[31] = fixed & 255;
    const made = makeKey(15, { flags: 256, pair });
    if (tagOf(made.data) === tag) return made;
  }
  throw new Error("Cannot make a key of this tag");
}

function keys(): Situation[] {
  const ksk = makeKey(13);
  const zsk = makeKey(13, { flags: 256 });
  const split = (covered: number) => covered === DNSKEY ? [ksk] : [zsk];
  const single = (options: Parameters<typeof makeKey>[1]) =>
    zone({ keys: [makeKey(13, options)] });
  const edwards = makeKey(15);
  const twins = Array.from(
    { length: 3 },
    () => collidingKey(tagOf(edwards.data)),
  );
  const crowd = Array.from({ length: 40 }, () => makeKey(13, { flags: 256 }));
  const mob = Array.from(
    { length: 30 },
    () => collidingKey(tagOf(edwards.data)),
  );
  const unknown = makeKey(200);
  return [
    {
      name: "keys: one for keys, one for the rest",
      want: "secure",
      zones: zone({ keys: [ksk, zsk], signers: split }),
      ask: "mx.@",
    },
    {
      name: "keys: the key for the rest is not among the signed ones",
      want: "bogus",
      zones: zone({ keys: [ksk], signers: split }),
      ask: "mx.@",
    },
    {
      name: "keys: DS of a key without SEP",
      want: "secure",
      zones: single({ flags: 256 }),
      ask: "mx.@",
    },
    {
      name: "keys: no zone key",
      want: "bogus",
      zones: single({ flags: 1 }),
      ask: "mx.@",
    },
    {
      name: "keys: another protocol",
      want: "bogus",
      zones: single({ protocol: 2 }),
      ask: "mx.@",
    },
    {
      name: "keys: revoked, with DS",
      want: "bogus",
      zones: single({ flags: 257 | 128 }),
      ask: "mx.@",
      // RFC 5011 §2.1: not to be used for any purpose.
      unbounds: "secure",
    },
    {
      name: "keys: a revoked one besides",
      want: "secure",
      zones: zone({
        keys: [ksk, makeKey(13, { flags: 257 | 128 })],
        signers: () => [ksk],
      }),
      ask: "mx.@",
    },
    {
      name: "keys: four of one tag",
      want: "secure",
      zones: zone({ keys: [edwards, ...twins], signers: () => [edwards] }),
      ask: "mx.@",
    },
    {
      name: "keys: thirty of one tag, none of which signed",
      want: "bogus",
      zones: zone({
        keys: [ksk, ...mob],
        signers: (covered) => covered === DNSKEY ? [ksk] : mob,
      }),
      ask: "mx.@",
    },
    {
      name: "keys: forty",
      want: "secure",
      zones: zone({ keys: [ksk, ...crowd], signers: () => [ksk] }),
      ask: "mx.@",
    },
    {
      name: "keys: all of an unknown algorithm",
      want: "insecure",
      zones: zone({ keys: [unknown] }),
      ask: "mx.@",
    },
    {
      name: "keys: DS of a known one, records signed by an unknown one only",
      want: "bogus",
      zones: zone({
        keys: [ksk, unknown],
        signers: (covered) => covered === DNSKEY ? [ksk] : [unknown],
      }),
      ask: "mx.@",
    },
    {
      name: "keys: known and unknown, both sign",
      want: "secure",
      zones: zone({ keys: [ksk, unknown] }),
      ask: "mx.@",
    },
    {
      name: "keys: two algorithms, one signs the records",
      want: "secure",
      zones: zone({
        keys: [ksk, edwards],
        signers: (covered) => covered === DNSKEY ? [ksk, edwards] : [edwards],
      }),
      ask: "mx.@",
    },
    {
      name: "keys: DS, but the zone is not signed",
      want: "bogus",
      zones: (name) => [{ name, keys: [], ds: [dsFor(name, ordinary())] }],
      ask: "mx.@",
    },
    {
      name: "keys: signed, but no DS",
      want: "insecure",
      zones: zone({ ds: [] }),
      ask: "mx.@",
    },
  ];
}

function types(): Situation[] {
  const rows: [string, number][] = [
    ["@", SOA],
    ["@", NS],
    ["@", MX],
    ["@", TXT],
    ["@", DNSKEY],
    ["@", DS],
    ["mx.@", AAAA],
    ["_25._tcp.mx.@", TLSA],
    ["alias.@", CNAME],
    ["tree.@", DNAME],
  ];
  const mixed: Draft["edit"] = (records) =>
    records.map((one) => {
      if (one.type !== MX) return one;
      const text = String.fromCharCode(...one.data);
      return {
        ...one,
        data: Uint8Array.from(text.replace("mx", "Mx"), (c) => c.charCodeAt(0)),
      };
    });
  return [
    ...rows.map(([ask, type]): Situation => ({
      name: `type ${type} at ${ask}`,
      want: "secure",
      zones: zone(),
      ask,
      type,
    })),
    {
      name: "names in data in mixed case",
      want: "secure",
      zones: zone({ edit: mixed }),
      ask: "@",
      type: MX,
    },
    {
      name: "owner in upper case",
      want: "secure",
      zones: zone(),
      ask: "mx.@",
      shout: "\x02mx",
    },
    {
      name: "an answer of 40 records that does not fit into UDP",
      want: "secure",
      zones: zone({
        more: Array.from(
          { length: 40 },
          (_, i) => `big.@ 300 TXT ${String(i).padStart(80, "x")}`,
        ),
      }),
      ask: "big.@",
      type: TXT,
    },
    {
      name: "a record taken out",
      want: "bogus",
      zones: zone({ more: ["mx.@ 300 A 192.0.2.9"] }),
      ask: "mx.@",
      edit: only(A, "mx.@", (message) => ({
        ...message,
        answer: message.answer.slice(1),
      })),
    },
    {
      name: "a record put in",
      want: "bogus",
      zones: zone(),
      ask: "mx.@",
      edit: only(A, "mx.@", (message, { question }) => ({
        ...message,
        answer: [
          record(`${question.name}. 300 A 192.0.2.66`),
          ...message.answer,
        ],
      })),
    },
    {
      name: "a record twice",
      want: "secure",
      zones: zone(),
      ask: "mx.@",
      edit: only(A, "mx.@", (message) => ({
        ...message,
        answer: [message.answer[0]!, ...message.answer],
      })),
    },
    {
      name: "a record changed",
      want: "bogus",
      zones: zone(),
      ask: "mx.@",
      edit: only(
        A,
        "mx.@",
        (message) =>
          mapped(
            message,
            (records) =>
              records.map((one) =>
                one.type === A
                  ? { ...one, data: Uint8Array.of(192, 0, 2, 66) }
                  : one
              ),
          ),
      ),
    },
    {
      name: "all signatures taken out",
      want: "bogus",
      zones: zone(),
      ask: "mx.@",
      edit: unsigned(),
    },
    {
      name: "all signatures taken out, AD put in",
      want: "bogus",
      zones: zone(),
      ask: "mx.@",
      edit: (message, asked) => ({
        ...unsigned()(message, asked) as Message,
        authenticData: true,
      }),
    },
  ];
}

/** The same with either kind of denial. */
function denials(): Situation[] {
  const kinds: { kind: string; plan: Omit<Draft, "name">; type: number }[] = [
    { kind: "NSEC", plan: {}, type: NSEC },
    { kind: "NSEC3", plan: { nsec3: {} }, type: NSEC3 },
    {
      kind: "NSEC3 with salt and rounds",
      plan: { nsec3: { salt: "abcdef", iterations: 7 } },
      type: NSEC3,
    },
  ];
  return kinds.flatMap(({ kind, plan, type }): Situation[] => {
    const row = (
      what: string,
      want: Situation["want"],
      rest: Partial<Situation> & { ask: string },
    ): Situation => ({
      name: `${kind}: ${what}`,
      want,
      zones: zone(plan),
      ...rest,
    });
    const noName = { ask: "nowhere.@" };
    const noData = { ask: "mx.@", type: TXT };
    return [
      row("no such name", "secure", noName),
      row("no such name, deep", "secure", { ask: "no.one.lives.here.@" }),
      row("no data", "secure", noData),
      row("no data at the apex", "secure", { ask: "@" }),
      row("no data at an empty non-terminal", "secure", { ask: "b.ent.@" }),
      row("no data at a wildcard", "secure", { ask: "x.wild.@", type: TXT }),
      row("no DS inside the zone", "secure", { ask: "mx.@", type: DS }),
      row("wildcard", "secure", { ask: "x.wild.@" }),
      row("wildcard, two labels", "secure", { ask: "x.y.wild.@" }),
      row("the wildcard itself", "secure", { ask: "*.wild.@" }),
      row("wildcard without proof", "bogus", {
        ask: "x.wild.@",
        edit: only(A, "x.wild.@", without(type)),
      }),
      row("a wildcard where a name exists", "bogus", {
        ask: "host.wild.@",
        edit: only(
          A,
          "host.wild.@",
          async (message, { ask, zone, question }) => {
            const other = await ask({ name: `x.wild.${zone}`, type: A });
            return {
              ...message,
              answer: other.answer.map((one) => ({
                ...one,
                name: question.name,
              })),
              authority: other.authority,
            };
          },
        ),
      }),
      row("no such name, proof taken out", "bogus", {
        ...noName,
        edit: only(A, "nowhere.@", without(type)),
      }),
      row("no such name, signatures of the proof taken out", "bogus", {
        ...noName,
        edit: only(A, "nowhere.@", unsigned(type)),
      }),
      row("no such name, everything taken out", "bogus", {
        ...noName,
        edit: only(A, "nowhere.@", (message) => ({
          ...message,
          authority: [],
        })),
      }),
      row("no data, proof taken out", "bogus", {
        ...noData,
        edit: only(TXT, "mx.@", without(type)),
      }),
      row("no data, for a type that is there", "bogus", {
        ask: "mx.@",
        edit: only(A, "mx.@", replayed("mx.@", TXT)),
      }),
      row("no such name, for a name that is there", "bogus", {
        ask: "mx.@",
        edit: only(A, "mx.@", replayed("nowhere.@", A)),
      }),
      row("no such name, proof of another name", "bogus", {
        ask: "zzz.@",
        edit: only(A, "zzz.@", replayed("aaa.other.@", A)),
      }),
      row(
        "no data, said to be no such name",
        type === NSEC ? "secure" : "bogus",
        {
          ...noData,
          edit: only(TXT, "mx.@", (message) => ({ ...message, rcode: 3 })),
        },
      ),
      row("no such name, said to be no data", "bogus", {
        ...noName,
        edit: only(A, "nowhere.@", (message) => ({ ...message, rcode: 0 })),
      }),
      row("alias to a name that does not exist", "secure", { ask: "gone.@" }),
      row("an alias denied", "bogus", {
        ask: "alias.@",
        edit: only(A, "alias.@", replayed("x.alias.@", A, { rcode: 0 })),
      }),
      row("no such name below a DNAME", "bogus", {
        ask: "x.tree.@",
        edit: only(A, "x.tree.@", replayed("tree.@", A, { rcode: 3 })),
      }),
      row("the parent's denial below a signed zone", "bogus", {
        zones: family(plan, {}),
        ask: "mx.sub.@",
        edit: only(A, "mx.sub.@", replayed("sub.@", TYPE.CDS, { rcode: 3 })),
      }),
      row("DS and a signed zone", "secure", {
        zones: family(plan, plan),
        ask: "mx.sub.@",
      }),
      row("no DS", "insecure", {
        zones: family(plan, unsignedZone),
        ask: "mx.sub.@",
      }),
      row("no DS, asked for", "secure", {
        zones: family(plan, unsignedZone),
        ask: "sub.@",
        type: DS,
      }),
      row("no DS, proof taken out", "bogus", {
        zones: family(plan, unsignedZone),
        ask: "mx.sub.@",
        edit: only(DS, "sub.@", without(type)),
      }),
      row("DS denied by the child itself", "bogus", {
        zones: family(plan, plan),
        ask: "sub.@",
        type: DS,
        edit: only(DS, "sub.@", replayed("sub.@", TYPE.CDS)),
      }),
      row("DS denied by a name beside", "bogus", {
        zones: family(plan, plan),
        ask: "mx.sub.@",
        edit: only(DS, "sub.@", replayed("mx.@", DS)),
      }),
      row("DS denied as if there were no such name", "bogus", {
        zones: family(plan, plan),
        ask: "mx.sub.@",
        edit: only(DS, "sub.@", replayed("nowhere.@", DS)),
      }),
      row("DS taken out, and what is below unsigned", "bogus", {
        zones: family(plan, plan),
        ask: "mx.sub.@",
        edit: (message, asked) => {
          const { question, zone } = asked;
          if (question.name === zone) return message;
          const bare = question.type === DS ? without(DS) : unsigned();
          return bare(message, asked);
        },
      }),
    ];
  });
}

function nsecOnly(): Situation[] {
  return [
    {
      name: "NSEC: no such name, without the wildcard's proof",
      want: "bogus",
      zones: zone(),
      ask: "x.host.wild.@",
      edit: only(A, "x.host.wild.@", dropOneDenial()),
    },
    {
      name: "NSEC: no such name, without the name's proof",
      want: "bogus",
      zones: zone(),
      ask: "nowhere.@",
      edit: only(A, "nowhere.@", keepOneDenial()),
    },
    {
      name: "NSEC: a denial that came from a wildcard",
      want: "secure",
      zones: zone(),
      ask: "x.wild.@",
      type: TXT,
      edit: only(
        TXT,
        "x.wild.@",
        (message, { question }) =>
          mapped(
            message,
            (records) =>
              records.map((one) =>
                one.name.startsWith("*.")
                  ? { ...one, name: question.name }
                  : one
              ),
          ),
      ),
    },
    {
      name: "NSEC: an unsigned denial put in",
      want: "secure",
      zones: zone(),
      ask: "nowhere.@",
      edit: only(A, "nowhere.@", (message, { zone }) => ({
        ...message,
        authority: [
          ...message.authority,
          {
            name: `nov.${zone}`,
            type: NSEC,
            ttl: 60,
            data: joinOctets([
              Uint8Array.of(1, 0x7a, 0),
              Uint8Array.of(0, 1, 64),
            ]),
          },
        ],
      })),
    },
  ];
}

/** Leaves the NSEC of the asked name's neighbour out. */
function keepOneDenial(): Edit {
  return (message, { zone }) =>
    mapped(
      message,
      (records) =>
        records.filter((one) =>
          one.name === zone || ![NSEC, TYPE.RRSIG].includes(one.type as 46 | 47)
        ),
    );
}

/** Leaves the last NSEC out. */
function dropOneDenial(): Edit {
  return (message) => {
    const last = message.authority.findLast(({ type }) => type === NSEC);
    return {
      ...message,
      authority: message.authority.filter(({ name }) => name !== last?.name),
    };
  };
}

function hashed(): Situation[] {
  const optOut = { nsec3: { isOptOut: true } };
  const rounds = (iterations: number) => zone({ nsec3: { iterations } });
  return [
    {
      name: "rounds: 150, no such name",
      want: "secure",
      zones: rounds(150),
      ask: "nowhere.@",
    },
    {
      name: "rounds: 151, no such name",
      want: "insecure",
      zones: rounds(151),
      ask: "nowhere.@",
    },
    {
      name: "rounds: 151, no data",
      want: "insecure",
      zones: rounds(151),
      ask: "mx.@",
      type: TXT,
    },
    {
      name: "rounds: 151, a record",
      want: "secure",
      zones: rounds(151),
      ask: "mx.@",
    },
    {
      name: "rounds: 151, a wildcard",
      want: "insecure",
      zones: rounds(151),
      ask: "x.wild.@",
    },
    {
      name: "rounds: 151, of the parent, for a name of a signed child",
      want: "bogus",
      zones: family({ nsec3: { iterations: 51 } }, {}),
      ask: "mx.sub.@",
      type: TXT,
      edit: only(TXT, "mx.sub.@", replayed("mx.@", TXT)),
    },
    {
      name: "rounds: 151, no DS",
      want: "insecure",
      zones: family({ nsec3: { iterations: 51 } }, unsignedZone),
      ask: "mx.sub.@",
    },
    {
      name: "rounds: 2500, with a signature that is wrong",
      want: "bogus",
      zones: zone({
        nsec3: { iterations: 2_500 },
        signers: (covered) =>
          covered === NSEC3 ? [pretending(ordinary())] : [ordinary()],
      }),
      ask: "nowhere.@",
    },
    {
      name: "opt-out: no such name",
      want: "insecure",
      zones: zone(optOut),
      ask: "nowhere.@",
    },
    {
      name: "opt-out: no data",
      want: "secure",
      zones: zone(optOut),
      ask: "mx.@",
      type: TXT,
    },
    {
      name: "opt-out: a record",
      want: "secure",
      zones: zone(optOut),
      ask: "mx.@",
    },
    {
      name: "opt-out: a wildcard",
      want: "insecure",
      zones: zone(optOut),
      ask: "x.wild.@",
    },
    {
      name: "opt-out: an unsigned zone",
      want: "insecure",
      zones: family(optOut, unsignedZone),
      ask: "mx.sub.@",
    },
    {
      name: "opt-out: no DS, asked for",
      want: "insecure",
      zones: family(optOut, unsignedZone),
      ask: "sub.@",
      type: DS,
    },
    {
      name: "opt-out: a signed zone",
      want: "secure",
      zones: family(optOut, {}),
      ask: "mx.sub.@",
    },
    {
      name: "opt-out: a signed zone said to be unsigned",
      want: "bogus",
      zones: (name) => [
        { name, ...optOut },
        { name: `sub.${name}` },
        { name: `bare.${name}`, keys: [] },
      ],
      ask: "mx.sub.@",
      edit: (message, asked) => {
        const { question, zone } = asked;
        if (question.type === DS && question.name === `sub.${zone}`) {
          return replayed("bare.@", DS)(message, asked);
        }
        return question.name === `mx.sub.${zone}`
          ? unsigned()(message, asked)
          : message;
      },
    },
    {
      name: "opt-out: an unsigned zone without its proof",
      want: "bogus",
      zones: family(optOut, unsignedZone),
      ask: "mx.sub.@",
      edit: only(DS, "sub.@", without(NSEC3)),
    },
    {
      name: "opt-out: unsigned zone below an empty non-terminal",
      want: "insecure",
      zones: (name) => [
        { name, ...optOut },
        { name: `sub.deep.${name}`, keys: [] },
      ],
      ask: "mx.sub.deep.@",
    },
    {
      name: "hashes: a flag that nobody knows",
      want: "bogus",
      zones: zone({ nsec3: {} }),
      ask: "nowhere.@",
      edit: only(
        A,
        "nowhere.@",
        (message) =>
          mapped(
            message,
            (records) =>
              records.map((one) =>
                one.type === NSEC3 ? { ...one, data: one.data.with(1, 1) } : one
              ),
          ),
      ),
    },
    {
      name: "hashes: no such name, without the wildcard's proof",
      want: "bogus",
      zones: zone({ nsec3: {} }),
      ask: "nowhere.@",
      edit: only(A, "nowhere.@", dropThirdHash()),
    },
  ];
}

/** Leaves one NSEC3 after the other out; two are enough for no proof. */
function dropThirdHash(): Edit {
  return (message) => {
    const owners = [
      ...new Set(
        message.authority.filter(({ type }) => type === NSEC3)
          .map(({ name }) => name),
      ),
    ];
    return {
      ...message,
      authority: message.authority.filter(({ name }) => name !== owners.at(-1)),
    };
  };
}

function aliases(): Situation[] {
  const to = (target: string, more: readonly Omit<Draft, "name">[] = []) =>
  (
    name: Name,
  ): Draft[] => [
    {
      name,
      more: [`way.@ 300 CNAME ${target}`.replace("sub.@", `sub.${name}.`)],
    },
    ...more.map((one) => ({ ...one, name: `sub.${name}` })),
  ];
  const broken: Omit<Draft, "name"> = {
    tweak: onType(
      A,
      (fields) => ({ ...fields, expirationS: NOW_S - 2 * DAY_S }),
    ),
  };
  return [
    { name: "alias", want: "secure", zones: zone(), ask: "alias.@" },
    {
      name: "alias whose signature is missing",
      want: "bogus",
      zones: zone({ tweak: onType(CNAME, () => undefined) }),
      ask: "alias.@",
    },
    {
      name: "alias whose target's signature is missing",
      want: "bogus",
      zones: zone({ tweak: onType(A, () => undefined) }),
      ask: "alias.@",
    },
    {
      name: "alias from a wildcard",
      want: "secure",
      zones: zone(),
      ask: "x.star.@",
    },
    {
      name: "alias into another signed zone",
      want: "secure",
      zones: to("mx.sub.@", [{}]),
      ask: "way.@",
    },
    {
      name: "alias into an unsigned zone",
      want: "insecure",
      zones: to("mx.sub.@", [unsignedZone]),
      ask: "way.@",
    },
    {
      name: "alias into a zone that is bogus",
      want: "bogus",
      zones: to("mx.sub.@", [broken]),
      ask: "way.@",
    },
    {
      name: "alias into a zone where the name does not exist",
      want: "secure",
      zones: to("nowhere.sub.@", [{}]),
      ask: "way.@",
    },
    {
      name: "alias out of an unsigned zone",
      want: "insecure",
      zones: (name) => [
        { name, keys: [], more: [`way.@ 300 CNAME mx.sib-${name}.`] },
        { name: `sib-${name}` },
      ],
      ask: "way.@",
    },
    {
      name: "alias out of an unsigned zone into one that is bogus",
      want: "bogus",
      zones: (name) => [
        { name, keys: [], more: [`way.@ 300 CNAME mx.sib-${name}.`] },
        { name: `sib-${name}`, ...broken },
      ],
      ask: "way.@",
    },
    {
      name: "alias sent elsewhere",
      want: "bogus",
      zones: zone(),
      ask: "alias.@",
      edit: only(A, "alias.@", (message, { zone }) => ({
        ...message,
        answer: [
          record(`alias.${zone}. 300 CNAME mx.other.${zone}.`),
          ...message.answer.slice(1),
        ],
      })),
    },
    { name: "DNAME", want: "secure", zones: zone(), ask: "mx.tree.@" },
    {
      name: "DNAME to a name that does not exist",
      want: "secure",
      zones: zone(),
      ask: "nowhere.tree.@",
    },
    {
      name: "DNAME without signature",
      want: "bogus",
      zones: zone({ tweak: onType(DNAME, () => undefined) }),
      ask: "mx.tree.@",
    },
    {
      name: "DNAME taken out, its alias left",
      want: "bogus",
      zones: zone(),
      ask: "mx.tree.@",
      edit: only(A, "mx.tree.@", without(DNAME)),
    },
    {
      name: "DNAME in an unsigned zone",
      want: "insecure",
      zones: zone(unsignedZone),
      ask: "mx.tree.@",
    },
    {
      name: "no data at the DNAME itself",
      want: "secure",
      zones: zone(),
      ask: "tree.@",
    },
  ];
}

function places(): Situation[] {
  return [
    {
      name: "an unsigned zone",
      want: "insecure",
      zones: zone(unsignedZone),
      ask: "mx.@",
    },
    {
      name: "an unsigned zone: no such name",
      want: "insecure",
      zones: zone(unsignedZone),
      ask: "nowhere.@",
    },
    {
      name: "a signed zone below an unsigned one",
      want: "insecure",
      zones: family(unsignedZone, {}),
      ask: "mx.sub.@",
    },
    {
      name: "three signed zones, one below the other",
      want: "secure",
      zones: (name) => [
        { name },
        { name: `sub.${name}`, nsec3: {} },
        { name: `a.sub.${name}`, keys: [makeKey(15)] },
      ],
      ask: "mx.a.sub.@",
    },
    {
      name: "a zone two labels below its parent",
      want: "secure",
      zones: (name) => [{ name }, { name: `x.y.${name}` }],
      ask: "mx.x.y.@",
    },
    {
      name: "a zone below a bogus one",
      want: "bogus",
      zones: family({ tweak: onType(DNSKEY, () => undefined) }, {}),
      ask: "mx.sub.@",
    },
    {
      name: "the parent's signature over DS is wrong",
      want: "bogus",
      zones: family({
        signers: (covered) =>
          covered === DS ? [pretending(ordinary())] : [ordinary()],
      }, {}),
      ask: "mx.sub.@",
    },
    {
      name: "DS without signature",
      want: "bogus",
      zones: family({ tweak: onType(DS, () => undefined) }, {}),
      ask: "mx.sub.@",
    },
    {
      name: "a top-level name that does not exist",
      want: "secure",
      zones: zone(),
      ask: "nowhere",
    },
    {
      name: "DS of a top-level name",
      want: "secure",
      zones: zone(),
      ask: "test",
      type: DS,
    },
    {
      name: "keys of the root",
      want: "secure",
      zones: zone(),
      ask: "",
      type: DNSKEY,
    },
  ];
}

/** Zones that ldns signed. */
function ldns(): Situation[] {
  const kinds: (LdnsChoice & { kind: string; isOptOut?: true })[] = [
    { kind: "NSEC", algorithm: "ECDSAP256SHA256", args: [] },
    { kind: "NSEC, RSA", algorithm: "RSASHA512", args: [] },
    { kind: "NSEC3", algorithm: "ED25519", args: ["-n", "-t", "0"] },
    {
      kind: "NSEC3, salt, rounds",
      algorithm: "ECDSAP384SHA384",
      args: ["-n", "-t", "9", "-s", "c0ffee"],
    },
    {
      kind: "opt-out",
      algorithm: "RSASHA256",
      args: ["-n", "-p", "-t", "1", "-s", "aa"],
      isOptOut: true,
    },
  ];
  const rows: { ask: string; type?: number; isBelow?: true; isOpen?: true }[] =
    [
      { ask: "@", type: MX },
      { ask: "b.ent.@", type: TXT },
      { ask: "alias.@" },
      { ask: "mx.@", type: TLSA },
      { ask: "ent.@" },
      { ask: "_25._tcp.mx.@", type: TLSA, isOpen: true },
      { ask: "x.wild.@", isOpen: true },
      { ask: "x.wild.@", type: MX, isOpen: true },
      { ask: "mx.bare.@", isBelow: true },
    ];
  return kinds.flatMap(({ kind, isOptOut, ...choice }) => {
    const zones = (name: Name) => ldnsZones(name, choice);
    return rows.map(({ isBelow, isOpen, ...asked }): Situation => ({
      name: `ldns, ${kind}: ${asked.ask} ${asked.type ?? A}`,
      want: isBelow || (isOpen && isOptOut) ? "insecure" : "secure",
      zones,
      shared: kind,
      ...asked,
    }));
  });
}

/** All of them. */
export function situations(): Situation[] {
  return [
    ...algorithms(),
    ...rsaSizes(),
    ...digests(),
    ...times(),
    ...signatures(),
    ...keys(),
    ...types(),
    ...denials(),
    ...nsecOnly(),
    ...hashed(),
    ...aliases(),
    ...places(),
    ...ldns(),
  ];
}
