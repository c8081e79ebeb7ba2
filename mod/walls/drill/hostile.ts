/**
 * The hostile script: what runs in a role's jail in the role's place and
 * tries what it is told, as an attacker who took the role over would.
 *
 * Orders come as one line on standard input, attempts go to standard output.
 * Runs with the role's rights and no others; see `deed.ts` for why no deed
 * does harm.
 */
import process from "node:process";
import { ALL_DEEDS } from "./deeds.ts";
import {
  type Attempt,
  type Bait,
  DENIALS,
  type HostileAct,
  type Orders,
} from "./deed.ts";

/** Longest that one act may take; longer is no answer, and so no denial. */
const ACT_WITHIN_MS = 3_000;
const MAX_ORDERS_OCTETS = 1 << 20;

/** Does what standard input says. */
export async function main(): Promise<void> {
  // Some of Deno's refusals come on a later tick, where nobody can catch them.
  let stray: ((error: unknown) => void) | undefined;
  process.on("uncaughtException", (error) => stray?.(error));
  process.on("unhandledRejection", (error) => stray?.(error));

  const reader = Deno.stdin.readable.getReader();
  const orders = await readOrders(reader);
  for (const bait of orders.bait) lay(bait);
  for (const act of orders.acts) {
    const straying = Promise.withResolvers<never>();
    stray = straying.reject;
    say(await attempt(act, orders.libc, straying.promise));
    stray = undefined;
  }
  if (orders.stay) {
    say({ act: "ready", denied: false, error: "" });
    while (!(await reader.read()).done) continue;
  }
  for (const { path } of orders.bait) Deno.removeSync(path);
  // Deeds may have left sockets and timers.
  Deno.exit(0);
}

async function readOrders(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Orders> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done || text.length > MAX_ORDERS_OCTETS) {
      throw new RangeError("Cannot read orders: no end of line");
    }
    text += decoder.decode(value, { stream: true });
  }
  return JSON.parse(text);
}

function lay({ path, mode }: Bait): void {
  Deno.openSync(path, { write: true, createNew: true, mode }).close();
}

function say(attempt: Attempt): void {
  const bytes = new TextEncoder().encode(JSON.stringify(attempt) + "\n");
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

async function attempt(
  { act, deed, alsoDenied = [] }: HostileAct,
  libc: string,
  stray: Promise<never>,
): Promise<Attempt> {
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      stray,
      new Promise<never>((_, reject) => {
        late = setTimeout(
          () => reject(new Error("no answer in time")),
          ACT_WITHIN_MS,
        );
      }),
      (async () => await ALL_DEEDS[deed.do](deed as never, libc))(),
    ]);
    return { act, denied: false, error: "" };
  } catch (thrown) {
    const error = codeOf(thrown);
    const denied = [...DENIALS, ...alsoDenied].includes(error);
    return { act, denied, error };
  } finally {
    clearTimeout(late);
  }
}

/** The shortest true name of an error: its class, errno, or first words. */
function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown).slice(0, 100);
  // `import` wraps Deno's refusal in a TypeError.
  if (
    thrown instanceof Deno.errors.NotCapable ||
    /^Requires [a-z]+ access/.test(thrown.message)
  ) return "NotCapable";
  const { code } = thrown as { code?: unknown };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  const number = /\(os error ([0-9]+)\)/.exec(thrown.message)?.[1];
  if (number === "1") return "EPERM";
  if (number === "13") return "EACCES";
  return thrown.message.slice(0, 100);
}
