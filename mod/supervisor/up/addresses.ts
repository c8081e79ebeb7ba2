/** The addresses of this machine by which the world can find it. */
import { ipv6Octets } from "../../core/ipv6.ts";

/** Networks that nobody else can reach: RFC 6890, less what documents use. */
const CLOSED: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["224.0.0.0", 3],
];

/** Flags of /proc/net/if_inet6: temporary, deprecated, tentative. */
const PASSING = 0x01 | 0x20 | 0x40;

/** True of one that the world can reach, if nothing stands between. */
export function isPublic(address: string): boolean {
  if (address.includes(":")) {
    // 2000::/3 is all that was ever given out, RFC 4291 §2.4.
    return (ipv6Octets(address)[0]! & 0xe0) === 0x20;
  }
  const number = ipv4Number(address);
  return !CLOSED.some(([network, bits]) =>
    number >>> (32 - bits) === ipv4Number(network) >>> (32 - bits)
  );
}

function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, one) => sum * 256 + Number(one), 0);
}

/**
 * Of the addresses given, those that are public and last; no two of one
 * network, as hosts with IPv6 have them for privacy.
 *
 * @param ifInet6 /proc/net/if_inet6
 */
export function lastingAddresses(
  all: readonly string[],
  ifInet6: string,
): string[] {
  const passing = new Set(
    ifInet6.split("\n").flatMap((line) => {
      const [hex, , , , flags] = line.trim().split(/\s+/);
      return (parseInt(flags ?? "0", 16) & PASSING) === 0 ? [] : [hex];
    }),
  );
  const networks = new Set<string>();
  return [...new Set(all)].filter((one) => {
    if (one.includes("%") || !isPublic(one)) return false;
    if (!one.includes(":")) return true;
    const hex = ipv6Octets(one).toHex();
    if (passing.has(hex)) return false;
    const network = hex.slice(0, 16);
    if (networks.has(network)) return false;
    networks.add(network);
    return true;
  });
}

/** This machine's. */
export function ownAddresses(): string[] {
  let ifInet6 = "";
  try {
    ifInet6 = Deno.readTextFileSync("/proc/net/if_inet6");
  } catch {
    // A kernel without IPv6.
  }
  return lastingAddresses(
    Deno.networkInterfaces().map(({ address }) => address),
    ifInet6,
  );
}

/** True if a route leads out of this machine at all. */
export function hasWayOut(): boolean {
  return ["/proc/net/route", "/proc/net/ipv6_route"].some((path) => {
    try {
      return Deno.readTextFileSync(path).split("\n").some((line) => {
        const [first, second, prefix] = line.split(/\s+/);
        return path.endsWith("ipv6_route")
          ? first === "0".repeat(32) && second === "00" && !line.endsWith(" lo")
          : second === "00000000" && prefix !== "Gateway";
      });
    } catch {
      return false;
    }
  });
}
