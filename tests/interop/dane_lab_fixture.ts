/**
 * The DANE laboratory: a signed internet in nsd, mail hosts of every kind on
 * loopback addresses of their own, and between them what Bulkhead sends mail
 * with: its resolver with its validator, its TLS policies, its SMTP client.
 */
import { createHash } from "node:crypto";
import { tlsa } from "../../mod/dns/answers.ts";
import { dnsContract } from "../../mod/dns/dns_ipc.ts";
import { engineOf } from "../../mod/dns/engine.ts";
import { partOf } from "../../mod/dns/engine_fixture.ts";
import { type Exchange, Exchanger } from "../../mod/dns/exchange_io.ts";
import { addresses, mailHosts } from "../../mod/dns/mail_hosts.ts";
import type { Message, Question } from "../../mod/dns/message.ts";
import { withNsd } from "../../mod/dns/nsd_fixture.ts";
import { validator } from "../../mod/dns/validate.ts";
import {
  issue,
  type Issued,
  type Wish,
} from "../../mod/dane/certificate_fixture.ts";
import type { Policy } from "../../mod/dane/sts.ts";
import { hexOf } from "../../mod/dane/tlsa.ts";
import type { Profile } from "../../mod/dane/profile.ts";
import type { Outcome } from "../../mod/core/outcome.ts";
import type { NextHop } from "../../mod/core/shapes.ts";
import { NO_WISHES } from "../../mod/core/shapes.ts";
import type { Call, Reply, Verdict } from "../../mod/ipc/call.ts";
import { deliver, type Means } from "../../mod/smtpc/deliver.ts";
import { PART } from "../../mod/smtpc/delivery_fixture.ts";
import { TlsPolicies } from "../../mod/smtpc/destination.ts";
import { IdlePool } from "../../mod/smtpc/idle_pool.ts";
import { Sources } from "../../mod/smtpc/source.ts";
import { Logins } from "../../mod/smtpc/logins.ts";
import type { Names } from "../../mod/smtpc/route.ts";
import type { Session } from "../../mod/smtpc/session_io.ts";
import { type Attempt, smtpcContract } from "../../mod/smtpc/smtpc_ipc.ts";
import {
  freePort,
  type HostPlan,
  type LabHost,
  labHost,
} from "./dane_lab_host.ts";
import { signedZones } from "./dane_lab_zones.ts";

/** Names, addresses, certificates and records of one situation. */
export interface Scene {
  /** Recipients' domain, such as `r7.s.test`. */
  readonly domain: string;
  /** Such as `r7.p.test`, signed, and `r7.u.test`, not. */
  readonly provider: string;
  readonly unsigned: string;
  readonly port: number;
  /** Addresses of its hosts, from 1. */
  ip(host: number): string;
  /** A certificate for `mx.DOMAIN` under the laboratory's authority. */
  leaf(wish?: Wish): Issued;
  /** That authority, which is in no list of authorities. */
  readonly root: Issued;
  /** One that the client knows as one of the usual ones. */
  readonly known: Issued;
  /**
   * A line with a TLSA record for a certificate, as `3 1 1`.
   *
   * @param owner The host, relative or with a dot at its end
   */
  tlsa(owner: string, certificate: Issued, kind: string): string;
}

/** What a situation consists of. */
export interface Situation {
  /** Lines in the domain's own zone; an MX record and its address if left out. */
  readonly records?: readonly string[];
  /** Lines for the TLSA records and the like, beside those. */
  readonly more?: readonly string[];
  readonly provider?: readonly string[];
  readonly unsigned?: readonly string[];
  /** `name type`: records whose signature is broken. */
  readonly spoiled?: readonly string[];
  readonly hosts: readonly HostPlan[];
  /** What somebody in between makes of answers; undefined for none at all. */
  readonly change?: (
    message: Message,
    question: Question,
    ask: (question: Question) => Promise<Message | undefined>,
  ) => Message | undefined | Promise<Message | undefined>;
  readonly profile?: Profile;
  readonly match?: readonly string[];
  readonly fingerprints?: readonly string[];
  readonly isException?: boolean;
  readonly requireTls?: boolean;
  readonly sts?: Policy;
  readonly nextHop?: NextHop;
}

/** A situation with its name, and what is to come of it. */
export interface Row {
  readonly name: string;
  /** True if nobody signs the domain's zone. */
  readonly isUnsigned?: boolean;
  readonly make: (scene: Scene) => Situation;
  /** `1 in TLS: dane delivered`, `nobody: temporary 4.7.5`, ... */
  readonly want: string;
  /** Words of {@link Seen.words} that must be there. */
  readonly says?: string;
  /** The TLSRPT result of the last host, RFC 8460 §4.3. */
  readonly report?: string;
  /** What posttls-finger comes to; undefined if it cannot be asked this. */
  readonly finger?: "verified" | "encrypted" | "fails";
}

/** What came of a situation. */
export interface Seen {
  readonly outcome: string;
  readonly attempt: Attempt;
  readonly hosts: readonly LabHost[];
  /** All that was noted, for people. */
  readonly words: string;
}

/** Ports and the like. */
interface Where {
  /** Of all mail hosts. */
  readonly port: number;
  /** Address and port of the name server. */
  readonly nameserver: string;
  readonly nsd: number;
  /** Such as `. DS 1 13 2 ab12`. */
  readonly anchor: string;
}

/** The laboratory while it runs. */
export interface Lab extends Where {
  /** Known to whoever is to know the usual authorities. */
  readonly known: Issued;
  /** See {@link Scene.root}. */
  readonly root: Issued;
  /** The recipients' domain of a row. */
  domainOf(row: Row): string;
  situationOf(row: Row): Situation;
  /** Of its first host. */
  addressOf(row: Row): string;
  /** Sends one message in a row's situation. */
  send(row: Row): Promise<Seen>;
  /** Runs a row's hosts for somebody else. */
  withHosts(
    row: Row,
    use: (hosts: readonly LabHost[]) => Promise<void>,
  ): Promise<void>;
}

/** What nobody may see but whom the message is for. */
export const SECRET = "The treasure is under the old oak";
const MESSAGE = `Subject: a secret\r\n\r\n${SECRET}.\r\n`;
const NOW = Date.now();
const ROOT = issue({ subject: "Laboratory", ca: true }, NOW);
const KNOWN = issue({ subject: "Known", ca: true }, NOW);

/** Hosts are at `127.66.ROW.HOST`: nobody else on the machine is there. */
const NETWORK = "127.66";

/**
 * Builds everything for the rows, and runs it while `use` does.
 *
 * @param network Two numbers that all addresses begin with
 */
export async function withDaneLab(
  { rows, network = NETWORK }: {
    rows: readonly Row[];
    network?: string;
  },
  use: (lab: Lab) => Promise<void>,
): Promise<void> {
  const port = freePort(`${network}.0.1`);
  const nameserver = `${network}.0.2`;
  const made = new Map(rows.map((row, i) => {
    const scene = sceneOf(row, { number: i + 1, port, network });
    return [row, { scene, situation: row.make(scene) }] as const;
  }));
  const texts = [...made.values()].map(({ scene, situation }) => {
    const own = situation.records ??
      [`@ MX 10 mx`, `mx A ${scene.ip(1)}`];
    return {
      scene,
      own: [...own, ...situation.more ?? []],
      ...situation,
    };
  });
  const under = (name: string, lines: readonly string[] = []) =>
    lines.length === 0 ? [] : [`$ORIGIN ${name}.`, ...lines];
  const isSigned = ({ domain }: Scene) => domain.endsWith(".s.test");
  const { zones, anchor } = await signedZones({
    signed: texts.flatMap(({ scene, own }) =>
      isSigned(scene) ? under(scene.domain, own) : []
    ),
    provider: texts.flatMap(({ scene, provider }) =>
      under(scene.provider, provider)
    ),
    unsigned: texts.flatMap(({ scene, own, unsigned }) =>
      isSigned(scene)
        ? under(scene.unsigned, unsigned)
        : under(scene.domain, [...own, ...unsigned ?? []])
    ),
    spoiled: texts.flatMap(({ spoiled }) => spoiled ?? []),
  });
  await withNsd({ zones, address: nameserver }, async (nsd) => {
    const of = (row: Row) => made.get(row)!;
    await use({
      port,
      nameserver,
      nsd,
      anchor,
      root: ROOT,
      known: KNOWN,
      situationOf: (row) => of(row).situation,
      domainOf: (row) => of(row).scene.domain,
      addressOf: (row) => of(row).scene.ip(1),
      send: (row) => sent(of(row), { port, nameserver, nsd, anchor }),
      withHosts: (row, use) => withHosts(of(row), port, use),
    });
  });
}

function sceneOf(row: Row, { number, port, network }: {
  number: number;
  port: number;
  network: string;
}): Scene {
  const domain = `r${number}.${row.isUnsigned ? "u" : "s"}.test`;
  return {
    domain,
    provider: `r${number}.p.test`,
    unsigned: `r${number}.u.test`,
    port,
    ip: (host) => `${network}.${number}.${host}`,
    root: ROOT,
    known: KNOWN,
    leaf: (wish = {}) =>
      issue({ names: [`mx.${domain}`], issuer: ROOT, ...wish }, NOW),
    tlsa: (owner, certificate, kind) =>
      `_${port}._tcp.${owner} TLSA ${kind} ${associated(certificate, kind)}`,
  };
}

/** The data of a TLSA record about a certificate. */
function associated(certificate: Issued, kind: string): string {
  const [, selector, matching] = kind.split(" ");
  const octets = selector === "0" ? certificate.der : certificate.spki;
  return matching === "0"
    ? hexOf(octets)
    : createHash(matching === "2" ? "sha512" : "sha256").update(octets)
      .digest("hex");
}

type Made = { readonly scene: Scene; readonly situation: Situation };

async function withHosts<T>(
  { scene, situation }: Made,
  port: number,
  use: (hosts: readonly LabHost[]) => Promise<T>,
): Promise<T> {
  const hosts: LabHost[] = [];
  try {
    for (const [i, plan] of situation.hosts.entries()) {
      if (plan.manner === "down") continue;
      hosts.push(await labHost(plan, { address: scene.ip(i + 1), port }));
    }
    return await use(hosts);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
}

function sent(
  made: Made,
  lab: Where,
): Promise<Seen> {
  const { scene, situation } = made;
  return withHosts(made, lab.port, async (hosts) => {
    const pool = new IdlePool<Session>();
    const means = meansOf(situation, { scene, lab, pool });
    const verdict = await deliver(askOf(scene, situation), means);
    pool.close();
    if ("refusal" in verdict) throw new Error(verdict.refusal);
    const { outcomes, attempt } = smtpcContract.calls.deliver.answer
      .parse(verdict.answer);
    return seen(hosts, outcomes[0]!, attempt);
  });
}

function seen(
  hosts: readonly LabHost[],
  outcome: Outcome,
  attempt: Attempt,
): Seen {
  const taker = hosts.findIndex(({ taken }) => taken.length > 0);
  const how = hosts[taker]?.taken[0]?.inTls ? "in TLS" : "in the clear";
  const last = attempt.hosts.at(-1);
  return {
    outcome: taker < 0
      ? `nobody: ${outcome.kind} ${outcome.enhanced}`
      : `${taker + 1} ${how}: ${last?.reached} ${outcome.kind}`,
    attempt,
    hosts,
    words: [
      outcome.text,
      ...attempt.hosts.map(({ demand, certificate, result }) =>
        `${demand} | ${certificate} | ${result}`
      ),
      ...attempt.transcript,
    ].join("\n"),
  };
}

function askOf(scene: Scene, { nextHop, requireTls }: Situation) {
  return smtpcContract.calls.deliver.ask.parse({
    queueId: "0000000000000000",
    ref: { segment: "s", offset: 0, length: 1, sizeBytes: MESSAGE.length },
    key: "A".repeat(43) + "=",
    reversePath: "me@us.test",
    recipients: [`you@${scene.domain}`],
    bodyType: "7bit",
    wishes: { ...NO_WISHES, requireTls: requireTls ?? false },
    recipientWishes: [],
    isRepeat: false,
    nextHop: nextHop ?? { kind: "mx", domain: scene.domain },
  });
}

function meansOf(situation: Situation, { scene, lab, pool }: {
  scene: Scene;
  lab: Where;
  pool: IdlePool<Session>;
}): Means {
  const { profile = "dane", match, fingerprints } = situation;
  const part = {
    ...PART,
    port: lab.port,
    tls: "may" as const,
    tlsExceptions: situation.isException ? [scene.domain] : [],
    destinations: [{
      name: situation.nextHop?.kind === "host"
        ? `${situation.nextHop.host}:${situation.nextHop.port}`
        : scene.domain,
      tls: profile,
      match: match ? [...match] : null,
      fingerprints: fingerprints ? [...fingerprints] : null,
      source: null,
    }],
  };
  const names = namesOf(situation, lab);
  const text = new TextEncoder().encode(MESSAGE);
  const { sts } = situation;
  return {
    part,
    names,
    pool,
    source: () => ({ open: () => [text], isDamage: () => false }),
    isOurs: () => false,
    held: { octets: 0 },
    count: () => {},
    logins: new Logins(part, () => {}),
    sources: new Sources(part),
    safety: {
      policies: new TlsPolicies(part),
      names,
      sts: () =>
        Promise.resolve({
          policy: sts,
          lines: [],
          trouble: "",
          isUnknown: false,
        }),
    },
    ca: [KNOWN.pem],
  };
}

/** What the role dns answers, through whoever sits in between. */
function namesOf(
  { change }: Situation,
  { nameserver, nsd, anchor }: Where,
): Names {
  const { lookups } = engineOf({
    part: partOf({
      nameservers: [nameserver],
      port: nsd,
      validate: true,
      trustAnchors: [anchor],
    }),
    exchanger: change === undefined
      ? new Exchanger()
      : new SomebodyInBetween(change),
    makeValidator: validator,
    onJudged: () => {},
    onStrips: () => {},
  });
  const { calls } = dnsContract;
  return {
    mailHosts: async (name) =>
      answered(calls.mailHosts, await mailHosts(name, lookups)),
    addresses: async (name) =>
      answered(calls.addresses, await addresses(name, lookups)),
    tlsa: async (name) => answered(calls.tlsa, await tlsa(name, lookups)),
    explain: () => Promise.resolve({ kind: "failed", why: "not asked" }),
  };
}

/** As it comes out of the channel between the roles. */
function answered<C extends Call>(call: C, verdict: Verdict<C>): Reply<C> {
  return "refusal" in verdict
    ? { kind: "refused", refusal: verdict.refusal }
    : { kind: "answered", answer: call.answer.parse(verdict.answer) as never };
}

/** Reads every answer first, and sends another one on, or none. */
class SomebodyInBetween extends Exchanger {
  readonly #honest = new Exchanger();
  readonly #change: NonNullable<Situation["change"]>;

  constructor(change: NonNullable<Situation["change"]>) {
    super();
    this.#change = change;
  }

  override readonly exchange: Exchange = async (server, ask) => {
    const got = await this.#honest.exchange(server, ask);
    if (got.kind !== "message") return got;
    const message = await this.#change(
      got.message,
      ask.question,
      async (question) => {
        const other = await this.#honest.exchange(server, { ...ask, question });
        return other.kind === "message" ? other.message : undefined;
      },
    );
    return message === undefined
      ? { kind: "silent" }
      : { kind: "message", message };
  };
}
