/** A gate with a clock, lists and records of the test's making. Tests only. */
import type { Listed } from "./dnsbl.ts";
import { Gate, type Recorded } from "./gate.ts";
import type { GateVerdict } from "./gate_ipc.ts";
import type { Probed } from "./probes.ts";
import type { GatePart } from "./role.ts";

/** Settings under which nothing is refused and nobody is tested. */
export const QUIET: GatePart = {
  dir: "/nowhere",
  allow: [],
  deny: [],
  allowFile: null,
  denyFile: null,
  shadow: false,
  denyAction: "enforce",
  testsGreeting: true,
  dnsblSites: [],
  dnsblThreshold: 1,
  dnsblAllowThreshold: 0,
  dnsblWithinMs: 100,
  dnsblAction: "enforce",
  greetPassesMs: 86_400_000,
  dnsblPassesMs: 3_600_000,
  deepPassesMs: 2_592_000_000,
  maxClients: 1_000,
  keepVerdictsMs: 86_400_000,
  maxVerdicts: 1_000,
  rates: {
    unitMs: 60_000,
    concurrency: 0,
    connections: 0,
    messages: 0,
    recipients: 0,
    errors: 0,
    authFailures: 0,
    tlsHandshakes: 0,
    ipv4Prefix: 32,
    ipv6Prefix: 64,
  },
  greylist: null,
  access: { client: [], helo: [], sender: [], recipient: [] },
  recipientDelimiter: "+",
  verify: null,
  consoleKey: "",
  consoleOpen: false,
};

/** A gate in a test. */
export class GateFixture {
  nowMs = 1_700_000_000_000;
  readonly recorded: Recorded[] = [];
  readonly asked: string[] = [];
  readonly health: string[] = [];
  /** What next hops say of addresses; others are local. */
  readonly hops = new Map<string, Probed>();
  readonly gate: Gate;
  readonly part: GatePart;

  /** @param lists What lists answer, by the name asked for */
  constructor(
    part: Partial<GatePart> = {},
    lists: (name: string) => Promise<Listed> | Listed = () => ({
      kind: "not-listed",
    }),
  ) {
    this.part = { ...QUIET, ...part };
    this.gate = new Gate({
      part: this.part,
      nowMs: () => this.nowMs,
      askList: async (name) => {
        this.asked.push(name);
        return await lists(name);
      },
      onListHealth: (list, ms) => this.health.push(`${list} ${ms}`),
      nextHopOf: (address) =>
        Promise.resolve(
          this.hops.has(address)
            ? { address, nextHop: { kind: "mx", domain: "next.test" } }
            : undefined,
        ),
      askHop: ({ address }) => Promise.resolve(this.hops.get(address)!),
      record: (what) => this.recorded.push(what),
      count: () => {},
      salt: "salt",
    });
  }

  /** A client connects to `smtpd.0`. */
  arrive(client: string, asker = "smtpd.0") {
    return this.gate.arrive({ client }, asker);
  }

  /** Asks at one stage, for a stranger. */
  judge(
    stage: "sender" | "recipient",
    about: Partial<Parameters<Gate["judge"]>[0]> = {},
  ): GateVerdict {
    const verdict = this.verify(stage, about);
    if (verdict instanceof Promise) throw new RangeError("a hop is asked");
    return verdict;
  }

  /** The same where a next hop may be asked. */
  verify(
    stage: "sender" | "recipient",
    about: Partial<Parameters<Gate["judge"]>[0]> = {},
  ) {
    return this.gate.judge({
      stage,
      client: "192.0.2.1",
      helo: "client.test",
      reversePath: "a@sender.test",
      recipient: "me@home.test",
      login: "",
      trusted: false,
      ...about,
    }, "smtpd.0");
  }
}
