/**
 * Who is let in or refused without a test: the configuration's networks, the
 * files', and what an administrator said since, which goes first. Of several
 * networks around a client the narrowest counts; of two that are the same, the
 * one that stands first here. Pure.
 */
import { parseNetworkList } from "../config/network_list.ts";
import {
  type Address,
  type Network,
  NetworkMap,
  parseNetwork,
} from "../core/network.ts";
import type { GatePart } from "./role.ts";

/** Why a client is let in or refused. */
export interface Standing {
  readonly is: "allowed" | "denied";
  /** Where it stands: `screening.deny`, `FILE:12`, `bulkhead client deny`. */
  readonly source: string;
  readonly network: string;
}

/** The lists of one configuration, and what came on top. */
export class ClientLists {
  readonly #configured = new NetworkMap<Standing>();
  readonly #said = new NetworkMap<Standing>();

  constructor(part: GatePart) {
    const add = (text: string, standing: Omit<Standing, "network">) => {
      const network = parseNetwork(text);
      if (!("fault" in network)) {
        this.#configured.set(network, { ...standing, network: text });
      }
    };
    for (const one of part.deny) {
      add(one, { is: "denied", source: "screening.deny" });
    }
    for (const one of part.allow) {
      add(one, { is: "allowed", source: "screening.allow" });
    }
    for (
      const [is, file] of [
        ["denied", part.denyFile],
        ["allowed", part.allowFile],
      ] as const
    ) {
      if (file === null) continue;
      for (
        const { network, text, line } of parseNetworkList(file.text).entries
      ) {
        const source = `${file.path}:${line}`;
        this.#configured.set(network, { is, source, network: text });
      }
    }
  }

  /** Networks of the configuration and its files. */
  get size(): number {
    return this.#configured.size;
  }

  /** An administrator said it; null takes back what was said. */
  say(network: Network, standing: Standing | null): void {
    if (standing === null) this.#said.delete(network);
    else this.#said.set(network, standing, true);
  }

  /** What stands for a client, if anything. */
  of(address: Address): Standing | undefined {
    return this.#said.find(address) ?? this.#configured.find(address);
  }
}
