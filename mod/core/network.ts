/**
 * IP addresses and networks as numbers, and a set of networks that finds the
 * narrowest one around an address. Pure.
 *
 * An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address in it:
 * a dual-stack socket must not give a client a second name.
 */
import { isIPv4, isIPv6 } from "node:net";
import { ipv6Octets } from "./ipv6.ts";

/** An address as a number of 32 or 128 bits. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses that begin with the first `prefix` bits of `value`. */
export interface Network extends Address {
  readonly prefix: number;
}

const MAPPED = 0xffffn;

/** Bits of a family's addresses. */
export function bitsOf(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Reads an address without brackets and zone; undefined if it is none. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) {
    let value = 0;
    for (const part of text.split(".")) value = value * 256 + Number(part);
    return { family: 4, value: BigInt(value) };
  }
  if (!isIPv6(text) || text.includes("%")) return undefined;
  let value = 0n;
  for (const octet of ipv6Octets(text)) value = value << 8n | BigInt(octet);
  return value >> 32n === MAPPED
    ? { family: 4, value: value & 0xffffffffn }
    : { family: 6, value };
}

/** Writes an address in its one short form, RFC 5952. */
export function addressText({ family, value }: Address): string {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => value >> shift & 255n).join(".");
  }
  const hex = value.toString(16).padStart(32, "0");
  const words = hex.match(/.{4}/g)!.join(":");
  return new URL(`http://[${words}]/`).hostname.slice(1, -1);
}

/** The network of `prefix` bits around an address. */
export function networkOf(address: Address, prefix: number): Network {
  const { family, value } = address;
  const rest = BigInt(bitsOf(family) - Math.min(prefix, bitsOf(family)));
  return {
    family,
    value: value >> rest << rest,
    prefix: Math.min(prefix, bitsOf(family)),
  };
}

/** True if one of two networks lies in the other. */
export function overlap(one: Network, other: Network): boolean {
  const prefix = Math.min(one.prefix, other.prefix);
  return one.family === other.family &&
    networkOf(one, prefix).value === networkOf(other, prefix).value;
}

/** Writes a network as `192.0.2.0/24`; one address stands without a prefix. */
export function networkText(network: Network): string {
  const text = addressText(network);
  return network.prefix === bitsOf(network.family)
    ? text
    : `${text}/${network.prefix}`;
}

/**
 * Reads `ADDRESS` or `ADDRESS/BITS`.
 *
 * @returns The network, or why it is none, worded to follow its name
 */
export function parseNetwork(text: string): Network | { fault: string } {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) {
    return {
      fault: 'is no address or network such as "192.0.2.0/24" or ' +
        '"2001:db8::/32"',
    };
  }
  const bits = bitsOf(address.family);
  if (slash < 0) return { ...address, prefix: bits };
  const digits = text.slice(slash + 1);
  if (digits.length < 1 || digits.length > 3 || !/^[0-9]+$/.test(digits)) {
    return { fault: "has no number of bits after the slash" };
  }
  // The bits of an IPv4-mapped address are those of the IPv6 one.
  const isMapped = address.family === 4 && text.includes(":");
  const prefix = Number(digits) - (isMapped ? 96 : 0);
  if (prefix < 0) return { fault: "is wider than all of IPv4" };
  if (prefix > bits) return { fault: `has more than ${bits} bits` };
  const network = networkOf(address, prefix);
  return network.value === address.value ? network : {
    fault: `has bits set beyond its first ${prefix}: it should be ` +
      networkText(network),
  };
}

/**
 * Values by network: 100,000 of them are a map for each length of prefix, and
 * a look-up is one probe in each map that there is, the longest first.
 */
export class NetworkMap<T> {
  readonly #by: Record<4 | 6, Map<number, Map<bigint, T>>> = {
    4: new Map(),
    6: new Map(),
  };
  #lengths: Record<4 | 6, readonly number[]> = { 4: [], 6: [] };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Sets a network's value; the first one stays unless `replace` is true. */
  set(network: Network, value: T, replace = false): void {
    const { family, prefix } = network;
    let map = this.#by[family].get(prefix);
    if (map === undefined) {
      map = new Map();
      this.#by[family].set(prefix, map);
      this.#lengths[family] = [...this.#by[family].keys()]
        .sort((one, other) => other - one);
    }
    if (map.has(network.value)) {
      if (replace) map.set(network.value, value);
      return;
    }
    map.set(network.value, value);
    this.#size++;
  }

  /** Removes a network; true if it was there. */
  delete({ family, prefix, value }: Network): boolean {
    const isGone = this.#by[family].get(prefix)?.delete(value) ?? false;
    if (isGone) this.#size--;
    return isGone;
  }

  /** The value of the narrowest network around an address. */
  find({ family, value }: Address): T | undefined {
    const bits = bitsOf(family);
    for (const prefix of this.#lengths[family]) {
      const rest = BigInt(bits - prefix);
      const found = this.#by[family].get(prefix)!.get(value >> rest << rest);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
