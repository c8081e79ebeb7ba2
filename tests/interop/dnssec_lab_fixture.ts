/**
 * A small internet for DNSSEC: nsd has all zones, a forwarder in front of it
 * changes answers where a situation wants that, and whoever validates asks the
 * forwarder. One of those is unbound.
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { decode, encode, query } from "../../mod/dns/codec.ts";
import type { Message, Question } from "../../mod/dns/message.ts";
import { withNsd } from "../../mod/dns/nsd_fixture.ts";

const UNBOUND = "/usr/sbin/unbound";
const LOOPBACK = "127.0.0.1";

/** Asks the name server itself. */
export type Ask = (question: Question) => Promise<Message>;

/**
 * What a resolver gets to see instead of an answer: a message, octets, or
 * nothing at all.
 */
export type Change = (
  message: Message,
  asked: { question: Question; ask: Ask },
) => Message | undefined | Promise<Message | undefined>;

/** What runs, and where. */
export interface Lab {
  /** Unchanged answers. */
  readonly ask: Ask;
  /** Changed answers, as octets and as messages. */
  readonly forwarder: number;
  readonly unbound: number;
  /** One that wants the best digest, and signatures of every algorithm. */
  readonly hardened: number;
}

/** A question with everything that a validator says in one. */
export function validatorsQuestion(question: Question): Message {
  return query(question, {
    id: Math.floor(Math.random() * 65_536),
    recursionDesired: true,
    checkingDisabled: true,
    edns: { size: 1_232, dnssecOk: true },
  });
}

/** Asks one server over TCP; undefined if what comes back is no message. */
export async function askPort(
  port: number,
  message: Message,
): Promise<Message | undefined> {
  const octets = await exchange(port, encode(message));
  const read = decode(octets);
  return read.kind === "message" ? read.message : undefined;
}

async function exchange(
  port: number,
  octets: Uint8Array,
): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: LOOPBACK, port });
  await connection.write(framed(octets));
  return await readFramed(connection) ?? new Uint8Array(0);
}

function framed(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(octets.length >> 8, octets.length & 255, ...octets);
}

async function readFramed(
  connection: Deno.Conn,
): Promise<Uint8Array | undefined> {
  let held = new Uint8Array(0);
  const part = new Uint8Array(65_537);
  while (held.length < 2 || held.length < 2 + (held[0]! << 8 | held[1]!)) {
    const count = await connection.read(part);
    if (count === null) return undefined;
    held = Uint8Array.of(...held, ...part.subarray(0, count));
  }
  return held.subarray(2);
}

/**
 * Runs all of it while `use` asks.
 *
 * @param zones Texts by name, `.` among them
 * @param anchor The root's DS, as in a zone file
 */
export async function withLab(
  { zones, anchor, change, shout = (octets) => octets }: {
    zones: Readonly<Record<string, string>>;
    anchor: string;
    change: Change;
    /** Changes the octets of answers that `change` left as they were. */
    shout?: (octets: Uint8Array, question: Question) => Uint8Array;
  },
  use: (lab: Lab) => Promise<void>,
): Promise<void> {
  await withNsd({ zones }, async (nsd) => {
    const ask: Ask = async (question) => {
      const answer = await askPort(nsd, validatorsQuestion(question));
      if (answer === undefined) throw new Error("nsd says nothing");
      return answer;
    };
    await withForwarder({ nsd, ask, change, shout }, async (forwarder) => {
      const how = { forwarder, anchor, names: Object.keys(zones) };
      await withUnbound(
        how,
        (unbound) =>
          withUnbound(
            { ...how, isHardened: true },
            (hardened) => use({ ask, forwarder, unbound, hardened }),
          ),
      );
    });
  });
}

async function withForwarder(
  { nsd, ask, change, shout }: {
    nsd: number;
    ask: Ask;
    change: Change;
    shout: (octets: Uint8Array, question: Question) => Uint8Array;
  },
  use: (port: number) => Promise<void>,
): Promise<void> {
  const answer = async (asked: Uint8Array) => {
    const { message: request } = decode(asked) as { message: Message };
    const octets = await exchange(nsd, asked);
    const original = decode(octets);
    const question = request.question!;
    if (original.kind !== "message") return octets;
    const changed = await change(original.message, { question, ask });
    if (changed === undefined) return undefined;
    // Octet by octet what the name server says, unless it is to be changed.
    return changed === original.message
      ? shout(octets, question)
      : encode({ ...changed, id: request.id });
  };
  const tcp = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const { port } = tcp.addr as Deno.NetAddr;
  const udp = createSocket("udp4");
  await new Promise<void>((resolve) => udp.bind(port, LOOPBACK, resolve));
  udp.on("message", async (asked, from) => {
    const octets = await answer(asked);
    if (octets === undefined) return;
    const sent = octets.length > 1_232 ? truncated(octets, asked) : octets;
    udp.send(sent, from.port, from.address);
  });
  const serving = (async () => {
    for await (const connection of tcp) serve(connection, answer);
  })();
  try {
    await use(port);
  } finally {
    tcp.close();
    await serving;
    await new Promise<void>((resolve) => udp.close(() => resolve()));
  }
}

/** Header and question, with TC. */
function truncated(octets: Uint8Array, asked: Uint8Array): Uint8Array {
  const { message } = decode(octets) as { message: Message };
  const { message: request } = decode(asked) as { message: Message };
  return encode({
    ...message,
    question: request.question,
    isTruncated: true,
    answer: [],
    authority: [],
    additional: [],
  });
}

async function serve(
  connection: Deno.Conn,
  answer: (asked: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<void> {
  using peer = connection;
  try {
    const asked = await readFramed(peer);
    const octets = asked && await answer(asked);
    if (octets !== undefined) await peer.write(framed(octets));
  } catch {
    // Whoever asked has gone.
  }
}

async function withUnbound(
  { isHardened = false, ...how }: {
    forwarder: number;
    anchor: string;
    names: readonly string[];
    isHardened?: boolean;
  },
  use: (port: number) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-unbound-" });
  const port = freePort();
  await Deno.writeTextFile(
    `${dir}/unbound.conf`,
    conf({ dir, port, isHardened, ...how }),
  );
  const unbound = new Deno.Command(UNBOUND, {
    args: ["-d", "-p", "-c", `${dir}/unbound.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await listening(port);
    await use(port);
  } finally {
    unbound.kill("SIGTERM");
    await unbound.status;
    await Deno.remove(dir, { recursive: true });
  }
}

/**
 * A validator that asks one server for everything, believes clocks strictly,
 * tries again as little as it can, and remembers what it must.
 */
function conf({ dir, port, forwarder, anchor, names, isHardened }: {
  dir: string;
  port: number;
  forwarder: number;
  anchor: string;
  names: readonly string[];
  isHardened: boolean;
}): string {
  // One for each zone: else it takes a zone's own DS for its child's.
  const stubs = names.map((name) =>
    `stub-zone:
  name: "${name}"
  stub-addr: ${LOOPBACK}@${forwarder}
  stub-prime: no
`
  );
  return `${stubs.join("")}server:
  directory: "${dir}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "${dir}/log"
  verbosity: 1
  val-log-level: 2
  interface: ${LOOPBACK}
  port: ${port}
  do-ip6: no
  num-threads: 1
  incoming-num-tcp: 100
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor: "${anchor}"
  trust-anchor-signaling: no
  root-key-sentinel: no
  val-max-restart: 0
  val-bogus-ttl: 0
  cache-max-negative-ttl: 0
  aggressive-nsec: no
  qname-minimisation: no
  harden-below-nxdomain: no
  harden-referral-path: no
  target-fetch-policy: "0 0 0 0 0"
  minimal-responses: no
  unblock-lan-zones: yes
  insecure-lan-zones: no
  local-zone: "test." nodefault
  infra-cache-min-rtt: 3000
  harden-algo-downgrade: ${isHardened ? "yes" : "no"}
remote-control:
  control-enable: no
`;
}

function freePort(): number {
  using probe = Deno.listen({ hostname: LOOPBACK, port: 0 });
  return (probe.addr as Deno.NetAddr).port;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: LOOPBACK, port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("Cannot reach unbound");
}

/** What unbound says, in one word and with what it found. */
export async function unboundsVerdict(
  port: number,
  question: Question,
): Promise<{ verdict: "secure" | "insecure" | "bogus"; message: Message }> {
  const asked = validatorsQuestion(question);
  const checked = await askPort(port, { ...asked, checkingDisabled: false });
  if (checked === undefined) {
    throw new Error(`unbound says nothing of ${question.name}`);
  }
  if (checked.rcode !== 2) {
    const verdict = checked.authenticData ? "secure" : "insecure";
    return { verdict, message: checked };
  }
  // Not the fault of whoever asked: without checking there is an answer.
  const unchecked = await askPort(port, asked);
  if (unchecked === undefined || unchecked.rcode === 2) {
    throw new Error(`unbound has no answer for ${question.name}`);
  }
  return { verdict: "bogus", message: unchecked };
}

/** Octets with every run of these letters in upper case: for names' case. */
export function shouted(octets: Uint8Array, label: string): Uint8Array {
  const found = Buffer.from(octets).toString("latin1")
    .replaceAll(label, label.toUpperCase());
  return Uint8Array.from(Buffer.from(found, "latin1"));
}
