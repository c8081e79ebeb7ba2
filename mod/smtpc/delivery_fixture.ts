/**
 * For tests: one delivery by the whole client to a scripted server on
 * loopback. Not part of any role.
 */
import assert from "node:assert/strict";
import type { MailHost } from "../dns/dns_ipc.ts";
import {
  type MessageWishes,
  type NextHop,
  NO_WISHES,
  type Protocol,
  type RecipientWishes,
} from "../core/shapes.ts";
import { deliver, type Means } from "./deliver.ts";
import { TlsPolicies } from "./destination.ts";
import type { Login } from "./login.ts";
import { Sources } from "./source.ts";
import { Logins, type OnRefused } from "./logins.ts";
import { IdlePool } from "./idle_pool.ts";
import type { SmtpcPart } from "./role.ts";
import type { Names } from "./route.ts";
import {
  type Answers,
  behave,
  type Heard,
  scriptedServer,
  type Server,
  type Visit,
} from "./scripted_server.ts";
import type { Session } from "./session_io.ts";
import { smtpcContract } from "./smtpc_ipc.ts";
import type { SafetyMeans } from "./safety.ts";
import type { PolicyAsker } from "./sts_memory.ts";

/** The client's settings; opportunistic TLS, which asks nobody. */
export const PART: SmtpcPart = {
  hostname: "us.test",
  spoolDir: "/nowhere",
  port: 25,
  connectWithinMs: 1_000,
  replyWithinMs: 1_000,
  ipv6: false,
  mtaSts: false,
  maxHosts: 5,
  tls: "may",
  tlsExceptions: [],
  ca: "",
  destinations: [],
  source: [],
  replyFilter: [],
  login: null,
};
const CALL = smtpcContract.calls.deliver;
/** What is sent if a test gives nothing else. */
export const MESSAGE = "Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n";

/** What a source throws for a damaged record. */
export class TestDamage extends Error {}

/** Octets of a latin1 text. */
export const bytesOf = (text: string) =>
  Uint8Array.from(text, (c) => c.charCodeAt(0));

/** What a test may change of a delivery. */
export interface Options {
  recipients?: string[];
  /** Octets, or what yields them; a function is called for each reading. */
  content?: string | (() => Generator<Uint8Array>);
  sizeBytes?: number;
  part?: Partial<SmtpcPart>;
  hosts?: MailHost[];
  nextHop?: NextHop;
  /** Who we are at the port. */
  login?: Login;
  /** Told of a refused login. */
  onLoginRefused?: OnRefused;
  /** What is spoken to the port. */
  protocol?: Protocol;
  isOurs?: (address: string) => boolean;
  pool?: IdlePool<Session>;
  bodyType?: "7bit" | "8bitmime" | "binarymime";
  wishes?: Partial<MessageWishes>;
  recipientWishes?: RecipientWishes[];
  reversePath?: string;
  /** The authority that certificates must come from. */
  ca?: string;
  /** Addresses of `localhost`. */
  addresses?: string[];
  mxSecurity?: "secure" | "insecure";
  tlsa?: Names["tlsa"];
  tickets?: Means["tickets"];
  /** See {@link Means}. */
  vouchedMs?: number;
  sts?: PolicyAsker;
}

const NOT_ASKED = Promise.resolve(
  { kind: "failed", why: "not asked" } as const,
);

/** A DNS role that answers nothing. */
export const NO_NAMES: Names = {
  mailHosts: () => NOT_ASKED,
  addresses: () => NOT_ASKED,
  tlsa: () => NOT_ASKED,
  explain: () => NOT_ASKED,
};

/** Decides by the configuration alone: nothing is published anywhere. */
export function safetyOf(part: Partial<SmtpcPart> = {}): SafetyMeans {
  return {
    policies: new TlsPolicies({ ...PART, ...part }),
    names: NO_NAMES,
    sts: () =>
      Promise.resolve({
        policy: undefined,
        lines: [],
        trouble: "",
        isUnknown: false,
      }),
  };
}

/** Delivers to `port` on loopback; the answer is checked against its shape. */
export async function run(port: number, options: Options = {}) {
  const content = options.content ?? MESSAGE;
  const pool = options.pool ?? new IdlePool<Session>();
  const login = options.login === undefined
    ? null
    : { host: "127.0.0.1", port, ...options.login };
  const part = { ...PART, ...options.part, login };
  const means: Means = {
    part,
    names: {
      ...NO_NAMES,
      mailHosts: () =>
        Promise.resolve({
          kind: "answered",
          answer: {
            hosts: options.hosts ?? [],
            security: options.mxSecurity ?? "insecure",
            canonical: "x.test",
          },
        }),
      addresses: () =>
        Promise.resolve(
          options.addresses === undefined
            ? { kind: "failed", why: "not asked" }
            : {
              kind: "answered",
              answer: {
                addresses: options.addresses,
                security: "insecure",
                nameSecurity: "insecure",
                canonical: "localhost",
              },
            },
        ),
    },
    pool,
    source: () => ({
      open: () => typeof content === "string" ? [bytesOf(content)] : content(),
      isDamage: (error) => error instanceof TestDamage,
    }),
    isOurs: options.isOurs ?? (() => false),
    held: { octets: 0 },
    count: () => {},
    sources: new Sources(part),
    logins: new Logins(part, options.onLoginRefused ?? (() => {})),
    safety: {
      ...safetyOf(options.part),
      ...(options.tlsa && { names: { ...NO_NAMES, tlsa: options.tlsa } }),
      ...(options.sts && { sts: options.sts }),
    },
    vouchedMs: options.vouchedMs,
    tickets: options.tickets,
    ca: options.ca === undefined ? undefined : [options.ca],
  };
  const ask = CALL.ask.parse({
    queueId: "0000000000000000",
    ref: {
      segment: "s",
      offset: 0,
      length: 1,
      sizeBytes: options.sizeBytes ??
        (typeof content === "string" ? content.length : 0),
    },
    key: "A".repeat(43) + "=",
    reversePath: options.reversePath ?? "me@us.test",
    recipients: options.recipients ?? ["a@x.test", "b@x.test"],
    bodyType: options.bodyType ?? "7bit",
    wishes: { ...NO_WISHES, ...options.wishes },
    recipientWishes: options.recipientWishes ?? [],
    isRepeat: false,
    nextHop: options.nextHop ??
      {
        kind: "host",
        host: "127.0.0.1",
        port,
        protocol: options.protocol ?? "smtp",
      },
  });
  const verdict = await deliver(ask, means);
  if (options.pool === undefined) pool.close();
  assert.equal(means.held.octets, 0);
  if ("refusal" in verdict) {
    return { said: verdict.refusal, attempt: undefined };
  }
  const { outcomes, attempt } = CALL.answer.parse(verdict.answer);
  assert.equal(outcomes.length, ask.recipients.length);
  const said = outcomes
    .map(({ kind, code, enhanced }) => `${kind} ${code} ${enhanced}`);
  return {
    said: [...new Set(said)].length === 1 ? said[0]! : said.join(", "),
    outcomes,
    attempt,
  };
}

/** A scripted server while `use` lasts. */
export async function withServer<T>(
  script: (visit: Visit, number: number) => Promise<void> | void,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await scriptedServer(script);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** One delivery to a server that behaves but for `answers`. */
export async function meets(answers: Answers, options: Options = {}) {
  const heard: Heard = { lines: [], messages: [] };
  return await withServer(
    (visit) => behave(visit, answers, heard),
    async (server) => ({
      ...await run(server.port, options),
      heard,
      visits: server.visits,
    }),
  );
}

/** One delivery to a server that says one text at a time, whatever it hears. */
export async function meetsScript(
  script: (visit: Visit, number: number) => Promise<void> | void,
  options: Options = {},
) {
  return await withServer(
    script,
    async (server) => ({ ...await run(server.port, options), server }),
  );
}

/** A mail host that no signature speaks for. */
export function unsignedHost(
  name: string,
  preference: number,
  addresses: string[],
): MailHost {
  return {
    name,
    preference,
    addresses,
    security: "insecure",
    nameSecurity: "insecure",
    canonical: name,
  };
}
