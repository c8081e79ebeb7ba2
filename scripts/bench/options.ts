/** What `deno task bench` was asked for. */
import { parseArgs } from "node:util";

/** Names of the servers that can be measured. */
export const SERVERS = ["bulkhead", "postfix"] as const;

/** See {@link SERVERS}. */
export type ServerName = typeof SERVERS[number];

/** What to measure. */
export interface Options {
  readonly servers: readonly ServerName[];
  readonly rounds: number;
  /** Message sizes in octets. */
  readonly sizes: readonly number[];
  /** Sessions at once. */
  readonly sessions: readonly number[];
  /** Part of the usual number of messages. */
  readonly scale: number;
  /** Messages of one latency round. */
  readonly latencyMessages: number;
  /** Measures the way to another host too. */
  readonly relay: boolean;
  /** Measures what comes in. */
  readonly inbound: boolean;
  /** Measures one message to many, and queues that are let out. */
  readonly outbound: boolean;
  /** Connections of one door in one round. */
  readonly connections: number;
  /** JSON lines instead of a table. */
  readonly json: boolean;
  /** Rewrites the measured part of docs/performance.md. */
  readonly write: boolean;
  /** A directory to use instead of a disk of its own. */
  readonly dir: string | undefined;
}

/** Text of `--help`. */
export const HELP = `deno task bench [options]

Measures Bulkhead next to a real Postfix on the same disk. Wants root, Postfix
(with smtp-source and smtp-sink) and e2fsprogs; without root it measures
Bulkhead alone, in a directory.

  --rounds N       rounds, of which the median counts (3)
  --quick          one round, a quarter of the messages
  --sizes LIST     message sizes in KiB (2), for example 2,50,1024
  --sessions LIST  sessions at once (1,10,50)
  --relay          measure the way to another host too (smtp-sink)
  --outbound       measure a fan-out and queues that are let out, too
  --only-outbound  measure nothing else
  --servers LIST   bulkhead,postfix
  --dir DIR        use this directory instead of an ext4 image of its own
  --write          rewrite the tables of docs/performance.md
  --json           print one JSON object a run instead of the table
`;

/**
 * Reads the arguments.
 *
 * @throws {TypeError} If one is unknown or out of bounds
 */
export function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h", default: false },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      sizes: { type: "string", default: "2" },
      sessions: { type: "string", default: "1,10,50" },
      relay: { type: "boolean", default: false },
      outbound: { type: "boolean", default: false },
      "only-outbound": { type: "boolean", default: false },
      servers: { type: "string", default: SERVERS.join(",") },
      dir: { type: "string" },
      write: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    servers: serversOf(values.servers),
    rounds: oneNumber(values.rounds ?? (values.quick ? "1" : "3"), 100),
    sizes: numbers(values.sizes, 32_768).map((kib) => kib * 1_024),
    sessions: numbers(values.sessions, 2_000),
    scale: values.quick ? 0.25 : 1,
    latencyMessages: values.quick ? 60 : 200,
    connections: values.quick ? 1_000 : 4_000,
    relay: values.relay,
    outbound: values.outbound || values["only-outbound"],
    inbound: !values["only-outbound"],
    json: values.json,
    write: values.write,
    dir: values.dir,
  };
}

function serversOf(text: string): ServerName[] {
  return text.split(",").map((one) => {
    const known = SERVERS.find((name) => name === one);
    if (known === undefined) throw new TypeError(`Cannot measure ${one}`);
    return known;
  });
}

function numbers(text: string, max: number): number[] {
  return text.split(",").map((one) => oneNumber(one, max));
}

function oneNumber(text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new TypeError(`Cannot use ${text}: not a number from 1 to ${max}`);
  }
  return value;
}
