/**
 * What `bulkhead client` reads and writes: the gate's database, by a one-shot
 * process in the gate's jail, while the gate may be running.
 */
import { type Network, overlap, parseNetwork } from "../core/network.ts";
import { GateDatabase, SHELVES } from "./database_io.ts";
import type {
  AboutShown,
  ClientsShown,
  SaidOf,
  ShownVerdict,
} from "./inspect_ipc.ts";

/** Most of each that is shown. */
const MAX_SHOWN = 1_000;
/** Most that is shown of one address. */
const MAX_ABOUT = 100;

/**
 * What is known of one network's clients, or of all.
 *
 * @param network null for all
 * @param refusedOnly Leaves out what was let through
 */
export function showClients(
  dir: string,
  asked: { network: Network | null; refusedOnly: boolean; nowMs: number },
): ClientsShown {
  const { network, refusedOnly, nowMs } = asked;
  const db = new GateDatabase(dir);
  try {
    const isMeant = (text: string) =>
      network === null || touches(network, text);
    const said = db.run.said.all().map(saidIn).filter((one) =>
      isMeant(one.network)
    ).slice(0, MAX_SHOWN);
    const passed: ClientsShown["passed"] = [];
    if (!refusedOnly) {
      for (const row of db.run.remembered.iterate(SHELVES.clients, nowMs)) {
        const key = String(row["key"]);
        if (passed.length === MAX_SHOWN || !isMeant(key)) continue;
        const [pregreetMs = 0, dnsblMs = 0, deepMs = 0] = JSON.parse(
          String(row["value"]),
        ) as number[];
        passed.push({ network: key, pregreetMs, dnsblMs, deepMs });
      }
    }
    const verdicts: ShownVerdict[] = [];
    for (const row of db.run.verdicts.iterate()) {
      if (verdicts.length === MAX_SHOWN) break;
      if (!isMeant(String(row["client"]))) continue;
      const verdict = verdictOf(row);
      const isRefusal = !verdict.shadow && verdict.action !== "pass";
      if (!refusedOnly || isRefusal) verdicts.push(verdict);
    }
    return { said, passed, verdicts };
  } finally {
    db.close();
  }
}

/**
 * Verdicts about mail from or to an address, newest first.
 *
 * @param address In whatever case
 */
export function verdictsAbout(dir: string, address: string): AboutShown {
  const db = new GateDatabase(dir);
  try {
    const wanted = address.toLowerCase();
    // Domains are ASCII; a local part may be written otherwise in JSON.
    const domain = wanted.slice(Math.max(0, wanted.lastIndexOf("@")));
    const verdicts: ShownVerdict[] = [];
    for (const row of db.run.verdictsWith.iterate(domain)) {
      if (verdicts.length === MAX_ABOUT) break;
      const verdict = verdictOf(row);
      const isMeant = verdict.sender.toLowerCase() === wanted ||
        verdict.recipient.toLowerCase() === wanted;
      if (isMeant) verdicts.push(verdict);
    }
    return { verdicts };
  } finally {
    db.close();
  }
}

/**
 * An administrator says something of a network: kept, and told to the running
 * gate, which looks for it a few times a second.
 */
export function sayOfClients(
  dir: string,
  said: { network: Network; text: string; word: "allow" | "deny" | "forget" },
  nowMs: number,
): void {
  const db = new GateDatabase(dir);
  try {
    const { run } = db;
    db.transaction(() => {
      if (said.word === "forget") {
        run.unsay.run(said.text);
        forget(db, said.network);
      } else {
        run.say.run(said.text, said.word, nowMs);
      }
      run.order.run(said.text, said.word);
    });
  } finally {
    db.close();
  }
}

/** The running gate does the same in its memory. */
function forget(db: GateDatabase, network: Network): void {
  for (const shelf of [SHELVES.clients, SHELVES.greylistClients]) {
    const keys = db.run.remembered.all(shelf, 0)
      .map((row) => String(row["key"]))
      .filter((key) => touches(network, key));
    for (const key of keys) db.run.forget.run(shelf, key);
  }
}

/** True if one of the two networks lies in the other. */
export function touches(network: Network, text: string): boolean {
  const one = parseNetwork(text);
  return !("fault" in one) && overlap(one, network);
}

/** A row of `said`, as it is shown. */
export function saidIn(row: Record<string, unknown>): SaidOf {
  return {
    network: String(row["network"]),
    word: String(row["word"]),
    atMs: Number(row["at_ms"]),
  };
}

/** A row of `verdicts`, as it is shown. */
export function verdictOf(row: Record<string, unknown>): ShownVerdict {
  const what = JSON.parse(String(row["what"])) as Record<string, unknown>;
  const word = (name: string) => String(what[name] ?? "");
  return {
    atMs: Number(row["at_ms"]),
    client: String(row["client"]),
    action: word("action"),
    shadow: what["shadow"] === true,
    rule: word("rule"),
    evidence: word("evidence"),
    reply: word("reply"),
    undo: word("undo"),
    helo: word("helo"),
    sender: word("sender"),
    recipient: word("recipient"),
  };
}
