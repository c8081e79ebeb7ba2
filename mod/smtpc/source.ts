/** Which address of ours a destination is connected to from. Pure. */
import net from "node:net";
import { destinationFor } from "../config/destinations.ts";
import type { NextHop } from "../core/shapes.ts";
import { destinationName } from "./destination.ts";
import type { SmtpcPart } from "./role.ts";

/** The sources of one configuration. */
export class Sources {
  readonly #usual: readonly string[];
  readonly #entries: ReadonlyMap<string, SmtpcPart["destinations"][number]>;

  constructor(part: Pick<SmtpcPart, "source" | "destinations">) {
    this.#usual = part.source;
    this.#entries = new Map(part.destinations.map((one) => [one.name, one]));
  }

  /**
   * The address to connect from, by the family of the address to connect to;
   * undefined leaves it to the kernel.
   */
  of(nextHop: NextHop): (address: string) => string | undefined {
    if (nextHop.kind === "unix") return () => undefined;
    const entry = destinationFor(this.#entries, destinationName(nextHop));
    const sources = entry?.source ?? this.#usual;
    return (address) =>
      sources.find((one) => net.isIP(one) === net.isIP(address));
  }
}
