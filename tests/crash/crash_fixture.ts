/** What the crash tests share: the server, its processes, its log, the end. */
import assert from "node:assert/strict";
import { NextHop } from "../system/next_hop.ts";
import {
  delay,
  freePort,
  type Installation,
  type LogEvent,
  server,
} from "../system/server_fixture.ts";
import type { Ledger, Verdict } from "./ledger.ts";

/** Most time for the queue to become empty. */
const DRAIN_WITHIN_MS = 40_000;

/** The scene's: retries within a second, for a test cannot wait for five minutes. */
export const SETTINGS = `
[server]
relay_domains = ["remote.test"]
[smtp]
processes = 2
[queue]
first_retry = "300ms"
max_retry = "1s"
`;

/** The same on a small disk. */
export const SMALL_SETTINGS = `${SETTINGS}
min_free = "1MiB"
[spool]
segment_size = "1MiB"
min_free = "4MiB"
`;

/** A running server, and the next hop for `remote.test`. */
export interface Scene extends AsyncDisposable {
  readonly made: Installation;
  readonly hop: NextHop;
}

/**
 * Makes a server with two mailboxes and one route.
 *
 * @param further More settings, as TOML
 */
export async function scene(further = ""): Promise<Scene> {
  const hop = new NextHop(freePort());
  await hop.listen();
  const made = await server({
    routes: [`remote.test=127.0.0.1:${hop.port}`],
    settings: SETTINGS + further,
  });
  return {
    made,
    hop,
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await hop.close();
    },
  };
}

/** Where everybody's mail goes: two mailboxes, and one in four to the hop. */
export const RECIPIENTS = [
  "me@home.test",
  "you@home.test",
  "me@home.test",
  "far@remote.test",
] as const;

/** Waits until all that was acknowledged has arrived and the queue is empty. */
export async function drained(
  { made, hop }: Pick<Scene, "made" | "hop">,
  ledger: Ledger,
  withinMs = DRAIN_WITHIN_MS,
): Promise<Verdict> {
  const late = performance.now() + withinMs;
  while (performance.now() < late) {
    const queue = await made.json<{ messages: unknown[] }>("queue", "list");
    if (queue.messages.length === 0) {
      if (ledger.missing(made, hop).length === 0) break;
    }
    await delay(300);
  }
  return ledger.verdict(made, hop);
}

/** Process ids of a process's children. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if (parentOf(Number(name)) === pid) children.push(Number(name));
  }
  return children;
}

/** True unless the process is gone, or dead and only not collected yet. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat[0] !== "Z";
}

function parentOf(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat === undefined ? undefined : Number(stat[1]);
}

/** State, parent, ...: what stands behind the name in /proc/PID/stat. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Follows the server's log without reading it again and again. */
export class LogTail {
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  #held = "";
  /** All events so far. */
  readonly events: LogEvent[] = [];

  constructor(made: Installation) {
    this.#file = Deno.openSync(made.logFile);
  }

  /** Reads what is new. */
  read(): readonly LogEvent[] {
    const buffer = new Uint8Array(65_536);
    for (let got; (got = this.#file.readSync(buffer)) !== null;) {
      this.#held += this.#decoder.decode(buffer.subarray(0, got), {
        stream: true,
      });
    }
    const lines = this.#held.split("\n");
    this.#held = lines.pop()!;
    for (const line of lines) {
      try {
        this.events.push(JSON.parse(line));
      } catch {
        this.events.push({ at: "", role: "", event: "text", text: line });
      }
    }
    return this.events;
  }

  /** Waits for an event that came after the first `from`. */
  async event(
    what: (event: LogEvent) => boolean,
    options: { from: number; withinMs: number },
  ): Promise<LogEvent | undefined> {
    const late = performance.now() + options.withinMs;
    for (let at = options.from;;) {
      const all = this.read();
      for (; at < all.length; at++) if (what(all[at]!)) return all[at];
      if (performance.now() > late) return undefined;
      await delay(10);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Connects all the time, and counts who does not let it. */
export class Knocker {
  /** Connections made. */
  connects = 0;
  readonly refused: string[] = [];
  slowestMs = 0;
  #isEnding = false;
  readonly #running: Promise<void>;

  constructor(ports: readonly number[]) {
    this.#running = this.#knock(ports);
  }

  /** Stops knocking, and fails if somebody refused. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
    assert.deepEqual(this.refused, [], "refused connections");
  }

  async #knock(ports: readonly number[]): Promise<void> {
    while (!this.#isEnding) {
      for (const port of ports) {
        const began = performance.now();
        try {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
          this.connects++;
        } catch (error) {
          this.refused.push(`${port}: ${error}`);
        }
        this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      }
      await delay(30);
    }
  }
}
