/**
 * The one-shot process behind `bulkhead client`: runs in the gate's jail,
 * reads or changes what is remembered of clients, prints JSON, ends.
 */
import { networkText, parseNetwork } from "../core/network.ts";
import { GateUnusable } from "./database_io.ts";
import { sayOfClients, showClients, verdictsAbout } from "./inspect.ts";
import { careFor, isCare } from "./inspect_care.ts";

const UNUSABLE = 78;

/**
 * Runs `inspect-gate DIR list | refused | show NETWORK | about ADDRESS |
 * allow NETWORK | deny NETWORK | forget NETWORK | copy | forget-copy | verify`.
 */
export async function main(args: readonly string[]): Promise<void> {
  const [dir = "", what, text = ""] = args;
  try {
    const said = isCare(what)
      ? await careFor(dir, what)
      : answer(dir, what, text);
    console.log(JSON.stringify(said, null, 2));
  } catch (error) {
    const isSqlite = (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
    if (!isSqlite && !(error instanceof GateUnusable)) throw error;
    console.error((error as Error).message);
    Deno.exit(UNUSABLE);
  }
}

function answer(dir: string, what: string | undefined, text: string): unknown {
  const nowMs = Date.now();
  switch (what) {
    case "list":
    case "refused":
      return showClients(dir, {
        network: null,
        refusedOnly: what === "refused",
        nowMs,
      });
    case "about":
      return verdictsAbout(dir, text);
    case "show":
      return showClients(dir, {
        network: networkOrThrow(text),
        refusedOnly: false,
        nowMs,
      });
    case "allow":
    case "deny":
    case "forget": {
      const network = networkOrThrow(text);
      const short = networkText(network);
      sayOfClients(dir, { network, text: short, word: what }, nowMs);
      return { network: short, word: what };
    }
    default:
      throw new RangeError(`Cannot inspect: ${what} is no question`);
  }
}

function networkOrThrow(text: string) {
  const network = parseNetwork(text);
  if ("fault" in network) throw new RangeError(`Cannot inspect ${text}`);
  return network;
}
