/**
 * Looks clients and addresses up in the access tables, in the order of
 * Postfix's access(5). Pure.
 *
 * For `user+ext@a.b.test`: the address, the address without its extension,
 * `a.b.test`, the domains above it (`domain` stands for itself and what is
 * below, `.domain` only for what is below), `user+ext@`, `user@`.
 */
import {
  type AccessEntry,
  type AccessKind,
  type AccessResult,
  parseAccessTable,
} from "../config/access_table.ts";
import { type Address, NetworkMap, parseNetwork } from "../core/network.ts";
import type { GatePart } from "./role.ts";

/** An entry that fits. */
export interface AccessHit {
  readonly result: AccessResult;
  readonly pattern: string;
  /** `FILE:12`. */
  readonly source: string;
}

interface Table {
  readonly path: string;
  readonly byPattern: ReadonlyMap<string, AccessEntry>;
  readonly byNetwork: NetworkMap<AccessEntry>;
}

/** Labels of a domain that are looked at; longer names are cut on the left. */
const MAX_LABELS = 32;

/** All tables of a configuration. */
export class AccessTables {
  readonly #tables: Readonly<Record<AccessKind, readonly Table[]>>;
  readonly #delimiters: string;

  constructor(part: GatePart) {
    const load = (kind: AccessKind) =>
      part.access[kind].map(({ path, text }) => loadTable(kind, path, text));
    this.#tables = {
      client: load("client"),
      helo: load("helo"),
      sender: load("sender"),
      recipient: load("recipient"),
    };
    this.#delimiters = part.recipientDelimiter;
  }

  /** Entries of all tables. */
  get size(): number {
    return Object.values(this.#tables).flat().reduce(
      (sum, one) => sum + one.byPattern.size + one.byNetwork.size,
      0,
    );
  }

  /** Entries for a client's address, one a table at most, in order. */
  client(address: Address): AccessHit[] {
    return this.#tables.client.flatMap((table) => {
      const entry = table.byNetwork.find(address);
      return entry === undefined ? [] : [hit(table, entry)];
    });
  }

  /** The same for what a client calls itself, in lower case or not. */
  helo(name: string): AccessHit[] {
    if (this.#tables.helo.length === 0) return [];
    const folded = name.toLowerCase();
    const keys = folded.startsWith("[") ? [folded] : domainKeys(folded);
    return this.#find("helo", keys);
  }

  /** The same for a reverse-path; empty is `<>`. */
  sender(path: string): AccessHit[] {
    if (this.#tables.sender.length === 0) return [];
    return this.#find("sender", path === "" ? ["<>"] : this.#keysOf(path));
  }

  /** The same for a recipient. */
  recipient(address: string): AccessHit[] {
    if (this.#tables.recipient.length === 0) return [];
    return this.#find("recipient", this.#keysOf(address));
  }

  #find(kind: AccessKind, keys: readonly string[]): AccessHit[] {
    return this.#tables[kind].flatMap((table) => {
      for (const key of keys) {
        const entry = table.byPattern.get(key);
        if (entry !== undefined) return [hit(table, entry)];
      }
      return [];
    });
  }

  #keysOf(address: string): string[] {
    const folded = address.toLowerCase();
    const at = folded.lastIndexOf("@");
    const user = folded.slice(0, at);
    const domain = folded.slice(at + 1);
    const plain = this.#withoutExtension(user);
    const users = plain === user ? [user] : [user, plain];
    return [
      ...users.map((one) => `${one}@${domain}`),
      ...(domain.startsWith("[") ? [domain] : domainKeys(domain)),
      ...users.map((one) => `${one}@`),
    ];
  }

  #withoutExtension(user: string): string {
    for (let at = 1; at < user.length; at++) {
      if (this.#delimiters.includes(user[at]!)) return user.slice(0, at);
    }
    return user;
  }
}

function loadTable(kind: AccessKind, path: string, text: string): Table {
  const byPattern = new Map<string, AccessEntry>();
  const byNetwork = new NetworkMap<AccessEntry>();
  for (const entry of parseAccessTable(kind, text).entries) {
    const network = kind === "client" ? parseNetwork(entry.pattern) : undefined;
    if (network === undefined) byPattern.set(entry.pattern, entry);
    else if (!("fault" in network)) byNetwork.set(network, entry);
  }
  return { path, byPattern, byNetwork };
}

function hit(table: Table, entry: AccessEntry): AccessHit {
  const { result, pattern, line } = entry;
  return { result, pattern, source: `${table.path}:${line}` };
}

/** `a.b.test`, `.b.test`, `b.test`, `.test`, `test`. */
function domainKeys(domain: string): string[] {
  const keys = [domain];
  const labels = domain.split(".");
  for (
    let at = Math.max(1, labels.length - MAX_LABELS);
    at < labels.length;
    at++
  ) {
    const above = labels.slice(at).join(".");
    keys.push(`.${above}`, above);
  }
  return keys;
}
