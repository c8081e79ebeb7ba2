/** A mail server under measurement. */
import type { ProcessGroup } from "./process_group.ts";
import type { ServerName } from "./options.ts";
import type { Door } from "./results.ts";

/** Domain whose mail ends in the Maildir. */
export const BOX_DOMAIN = "box.test";

/** Domain whose mail goes on to the sink. */
export const RELAY_DOMAIN = "relay.test";

/** Domains of the fan-out, each with a next hop of its own. */
export const FAN_DOMAINS = 100;

/** The nth of them, from 1. */
export function fanDomain(n: number): string {
  return `d${n}.fan.test`;
}

/** Its next hop's address. */
export function fanHost(n: number): string {
  return `127.0.1.${n}`;
}

/** Sessions at once that next hops of {@link drainDomain} get. */
export const DRAINS = [1, 20, 100] as const;

/** A domain whose next hop gets so many sessions at once. */
export function drainDomain(atOnce: number): string {
  return `drain${atOnce}.test`;
}

/** What a server is started with. */
export interface Ground {
  /** An empty directory on the disk under measurement. */
  readonly dir: string;
  /** First of four free loopback ports. */
  readonly port: number;
  /** Loopback port that mail for {@link RELAY_DOMAIN} goes to. */
  readonly sinkPort: number;
  /** Port of the fan-out's next hops. */
  readonly fanPort: number;
  /** First of the ports of the next hops of {@link DRAINS}, on 127.0.0.1. */
  readonly drainPort: number;
  /** Takes the server's processes; its owner ends them whatever happens. */
  readonly group: ProcessGroup;
}

/** A server that runs. */
export interface Server {
  readonly name: ServerName;
  /** Name and version, for the report. */
  readonly says: string;
  /** SMTP port on 127.0.0.1. */
  readonly port: number;
  /** The ports of clients that bring no mail. */
  readonly doors: Readonly<Record<Door, number>>;
  /** `new` of the Maildir of `u@box.test`. */
  readonly box: string;
  readonly group: ProcessGroup;
  /** Which part of the server a process is. */
  partOf(args: readonly string[]): string;
  /** Has it try at once what it put off for a domain, or for all. */
  flush(domain: string): Promise<void>;
  /** Asks it to stop; whoever does not is ended with the group. */
  stop(): Promise<void>;
}

/**
 * The first of `count` neighbouring ports of 127.0.0.1 that are free.
 *
 * @param from Where to begin looking
 */
export function freePorts(from: number, count: number): number {
  for (let first = from; first < from + 2_000; first += count) {
    if (areFree(first, count)) return first;
  }
  throw new Error(`Cannot find ${count} free ports from ${from} on`);
}

function areFree(first: number, count: number): boolean {
  for (let port = first; port < first + count; port++) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return false;
      throw error;
    }
  }
  return true;
}

/** Whether somebody answers at a port of 127.0.0.1. */
export async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
