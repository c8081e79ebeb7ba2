/**
 * Mutated answers. Whatever is done to them, the validator says of a question
 * what it says of the untouched answers, or that it cannot be believed.
 *
 *     deno test -A tests/interop/dnssec_fuzz_test.ts -- --mutations 50000 --seed 7
 *     deno test -A tests/interop/dnssec_fuzz_test.ts -- --beside 5000
 *
 * `--beside` asks unbound about as many and counts what each says; it shows how
 * strict the two are, and wants the same.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { parseAnchor } from "../../mod/dns/anchors.ts";
import { follow, type Found } from "../../mod/dns/follow.ts";
import {
  type Fetch,
  type Message,
  type Question,
  TYPE,
} from "../../mod/dns/message.ts";
import { readSignature } from "../../mod/dns/rrsig.ts";
import { validator } from "../../mod/dns/validate.ts";
import { makeKey } from "../../mod/dns/signer_fixture.ts";
import {
  askPort,
  type Lab,
  unboundsVerdict,
  validatorsQuestion,
  withLab,
} from "./dnssec_lab_fixture.ts";
import { mutated, pick, seeded } from "./dnssec_mutations.ts";
import { type Draft, mapped, NOW_S, signed } from "./dnssec_zones.ts";
import { areInstalled } from "./peers.ts";

const isHere = areInstalled(
  "DNSSEC fuzz",
  "/usr/sbin/nsd",
  "/usr/sbin/unbound",
);

function option(name: string, usual: number): number {
  const at = Deno.args.indexOf(name);
  return at === -1 ? usual : Number(Deno.args[at + 1]);
}

const SEED = option("--seed", 1);
const MUTATIONS = option("--mutations", 800);
const BESIDE = option("--beside", 0);

/** All zones that are asked about; `n` for more of the same. */
const zonesOf = (n: string): readonly Draft[] => [
  { name: `plain${n}.test` },
  { name: `sub.plain${n}.test`, keys: [makeKey(15)] },
  { name: `bare.plain${n}.test`, keys: [] },
  { name: `hash${n}.test`, nsec3: { salt: "aa", iterations: 3 } },
  { name: `sub.hash${n}.test`, keys: [makeKey(15)], nsec3: {} },
  { name: `bare.hash${n}.test`, keys: [] },
  { name: `open${n}.test`, nsec3: { isOptOut: true } },
  { name: `sub.open${n}.test`, keys: [makeKey(15)] },
  { name: `bare.open${n}.test`, keys: [] },
];

/** Failures are kept by unbound for five seconds, whatever it is told. */
const FAILURES_KEPT_MS = 6_000;

const ASKED: readonly [string, number][] = [
  ["@", TYPE.MX],
  ["@", TYPE.A],
  ["mx.@", TYPE.A],
  ["mx.@", TYPE.TXT],
  ["_25._tcp.mx.@", TYPE.TLSA],
  ["_25._tcp.a.b.ent.@", TYPE.TLSA],
  ["b.ent.@", TYPE.A],
  ["x.wild.@", TYPE.A],
  ["x.wild.@", TYPE.TXT],
  ["host.wild.@", TYPE.A],
  ["alias.@", TYPE.A],
  ["gone.@", TYPE.A],
  ["mx.tree.@", TYPE.A],
  ["x.star.@", TYPE.A],
  ["nowhere.@", TYPE.A],
];

function questionsOf(zones: readonly Draft[]): Question[] {
  return zones.flatMap((zone) =>
    ASKED.map(([name, type]) => ({ name: name.replace("@", zone.name), type }))
  );
}

function keyOf({ name, type }: Question): string {
  return `${name} ${type}`;
}

/** What of a verdict must not change: what is not signed may be anything. */
function sayingOf({ security, finding, canonical }: Found): string {
  if (security === "insecure") return security;
  const what = finding.kind === "records"
    ? finding.records.map(({ data }) => data.toHex()).sort()
    : [];
  return JSON.stringify([security, finding.kind, canonical, what]);
}

function isBelieved({ security }: Found): boolean {
  return security === "secure" || security === "insecure";
}

/** Without TTLs that unbound would remember a lie for. */
function forgettable(message: Message): Message {
  return mapped(
    message,
    (records) => records.map((one) => ({ ...one, ttl: 0 })),
  );
}

async function judged(
  question: Question,
  { anchor, fetch }: { anchor: string; fetch: Fetch },
): Promise<Found> {
  const ours = validator({
    anchors: [parseAnchor(anchor)!],
    fetch,
    nowS: () => NOW_S,
  });
  return await follow({ validator: ours, fetch }, question);
}

/**
 * Without the name servers beside an answer. Unbound rejects an answer for
 * their signatures, too; here nobody looks at what nobody asked for.
 */
function withoutServers(message: Message): Message {
  return {
    ...message,
    authority: message.authority.filter(({ type, data }) =>
      type !== TYPE.NS &&
      !(type === TYPE.RRSIG && readSignature(data)?.covered === TYPE.NS)
    ),
  };
}

/** Every question with its verdict, and every message that it rests on. */
async function untouched(
  lab: Lab,
  { anchor, drafts }: { anchor: string; drafts: readonly Draft[] },
) {
  const messages = new Map<string, Message>();
  const cases: { question: Question; found: Found; needs: Question[] }[] = [];
  for (const question of questionsOf(drafts)) {
    const needs: Question[] = [];
    const fetch: Fetch = async (asked) => {
      needs.push(asked);
      const message = messages.get(keyOf(asked)) ??
        withoutServers(await lab.ask(asked));
      messages.set(keyOf(asked), message);
      return message;
    };
    const found = await judged(question, { anchor, fetch });
    assert.ok(isBelieved(found), `${keyOf(question)}: ${found.why}`);
    cases.push({ question, found, needs });
  }
  return { messages, cases };
}

Deno.test({
  name: "validator() never believes what mutated answers say, and never fails",
  ignore: !isHere,
  fn: async () => {
    const drafts = zonesOf("");
    const { zones, anchor } = signed(drafts);
    const change = (message: Message) => message;
    await withLab({ zones, anchor, change }, async (lab) => {
      const { messages, cases } = await untouched(lab, { anchor, drafts });
      const others = [...messages.values()];
      const counts = { same: 0, doubted: 0 };
      for (let n = 0; n < MUTATIONS; n++) {
        const random = seeded(SEED * 1_000_003 + n);
        const { question, found, needs } = pick(random, cases);
        const target = keyOf(pick(random, needs));
        const lie = mutated(messages.get(target)!, random, others);
        const fetch: Fetch = async (asked) =>
          keyOf(asked) === target
            ? lie
            : messages.get(keyOf(asked)) ?? await lab.ask(asked);
        const now = await judged(question, { anchor, fetch });
        if (!isBelieved(now)) counts.doubted++;
        else if (sayingOf(now) === sayingOf(found)) counts.same++;
        else {
          assert.fail(
            `mutation ${n} of seed ${SEED}, of ${target}, makes of ${
              keyOf(question)
            } ${sayingOf(now)} instead of ${sayingOf(found)}`,
          );
        }
      }
      console.log(`${MUTATIONS} mutations, seed ${SEED}:`, counts);
    });
  },
});

const besideUnbound: Deno.TestDefinition = {
  name: "validator() calls nothing secure but the truth, beside unbound",
  fn: async () => {
    // Nothing may be kept by anybody, or a question could be asked only once.
    const drafts = Array.from({ length: 12 }, (_, i) => zonesOf(`${i}`)).flat();
    const { zones, anchor } = signed(drafts, { isFleeting: true });
    let lie: { target: string; message: Message } | undefined;
    const change = (message: Message, { question }: { question: Question }) =>
      lie?.target === keyOf(question)
        ? { ...lie.message, question: message.question }
        : message;
    await withLab({ zones, anchor, change }, async (lab) => {
      const { messages, cases } = await untouched(lab, { anchor, drafts });
      const others = [...messages.values()];
      const table = new Map<string, number>();
      for (let n = 0; n < BESIDE; n++) {
        const random = seeded(SEED * 2_000_003 + n);
        const { question, found } = cases[n % cases.length]!;
        if (n % cases.length === 0 && n > 0) await delay(FAILURES_KEPT_MS);
        const target = keyOf(question);
        lie = {
          target,
          message: forgettable(mutated(messages.get(target)!, random, others)),
        };
        const fetch: Fetch = (asked) =>
          askPort(lab.forwarder, validatorsQuestion(asked));
        const [mine, theirs] = await Promise.all([
          judged(question, { anchor, fetch }),
          unboundsVerdict(lab.unbound, question)
            .then(({ verdict }) => verdict, () => "none" as const),
        ]);
        const cell = `${mine.security} here, ${theirs} there`;
        table.set(cell, (table.get(cell) ?? 0) + 1);
        // Unbound finds fault with records beside the answer, too, and with
        // what it remembers. What is secure here must be the truth.
        if (mine.security === "secure") {
          assert.equal(sayingOf(mine), sayingOf(found), `mutation ${n}`);
        }
      }
      console.log(`${BESIDE} beside unbound, seed ${SEED}:`, table);
    });
  },
};

// By hand only: it takes a while.
if (isHere && BESIDE > 0) Deno.test(besideUnbound);
