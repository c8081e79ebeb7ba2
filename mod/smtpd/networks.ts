/** The lists of networks in smtpd's part, parsed once and asked per client. */
import { NetworkMap, parseAddress, parseNetwork } from "../core/network.ts";

/** A set of networks. */
export class Networks {
  readonly #map = new NetworkMap<true>();

  /** @throws {RangeError} If a text is no network: it was checked before */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const network = parseNetwork(text);
      if ("fault" in network) throw new RangeError(`${text} ${network.fault}`);
      this.#map.set(network, true);
    }
  }

  /** True if an address is in one of them; what is no address is in none. */
  has(text: string): boolean {
    if (this.#map.size === 0) return false;
    const address = parseAddress(text);
    return address !== undefined && this.#map.find(address) === true;
  }
}
