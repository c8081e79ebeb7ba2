/**
 * Which profile a destination has, by `[destinations]`, `outbound.tls` and
 * the exceptions. Pure.
 */
import { createHash } from "node:crypto";
import { destinationFor } from "../config/destinations.ts";
import { hostPortText } from "../config/names.ts";
import type { NextHop } from "../core/shapes.ts";
import type { Profile } from "../dane/profile.ts";
import type { SmtpcPart } from "./role.ts";

/** What TLS is to be like for one destination. */
export interface TlsPolicy {
  readonly profile: Profile;
  /** Names that a certificate may have, for `verify` and `secure`; or null. */
  readonly match: readonly string[] | null;
  /** For `fingerprint`. */
  readonly fingerprints: readonly string[];
  /** Key of the entry in `[destinations]` that says so; empty for outbound.tls. */
  readonly entry: string;
}

type Entry = SmtpcPart["destinations"][number];

/** All policies of one configuration. */
export class TlsPolicies {
  /** Sessions are kept for one edition: another one may demand other things. */
  readonly edition: string;
  readonly #profile: Profile;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #exceptions: ReadonlySet<string>;

  constructor(
    part: Pick<SmtpcPart, "tls" | "tlsExceptions" | "destinations" | "ca">,
  ) {
    const { tls, tlsExceptions, destinations, ca } = part;
    this.edition = createHash("sha256")
      .update(JSON.stringify([tls, tlsExceptions, destinations, ca]))
      .digest("base64").slice(0, 16);
    this.#profile = part.tls;
    this.#entries = new Map(part.destinations.map((one) => [one.name, one]));
    this.#exceptions = new Set(part.tlsExceptions);
  }

  /**
   * The policy of a next hop. A Unix socket has none: what goes through it
   * does not leave the machine.
   */
  of(nextHop: NextHop): TlsPolicy {
    if (nextHop.kind === "unix") {
      return { profile: "none", match: null, fingerprints: [], entry: "" };
    }
    const entry = destinationFor(this.#entries, destinationName(nextHop));
    return {
      profile: entry?.tls ?? this.#profile,
      match: entry?.match ?? null,
      fingerprints: entry?.fingerprints ?? [],
      entry: entry === undefined || entry.tls === null ? "" : entry.name,
    };
  }

  /** The exception that counts for a domain or a host's name; or undefined. */
  exceptionFor(name: string): string | undefined {
    if (this.#exceptions.size === 0) return undefined;
    if (this.#exceptions.has(name)) return name;
    for (let dot = name.indexOf(".", 1); dot > 0;) {
      const above = name.slice(dot);
      if (this.#exceptions.has(above)) return above;
      dot = name.indexOf(".", dot + 1);
    }
    return undefined;
  }
}

/** What a next hop is called in `[destinations]`; empty for a socket. */
export function destinationName(nextHop: NextHop): string {
  switch (nextHop.kind) {
    case "mx":
      return nextHop.domain;
    case "host": {
      const { host, port } = nextHop;
      const bare = host.startsWith("[") ? host.slice(1, -1) : host;
      return hostPortText({ host: bare.toLowerCase(), port });
    }
    case "unix":
      return "";
  }
}
