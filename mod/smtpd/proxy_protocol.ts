/**
 * The PROXY protocol's header, versions 1 and 2, in which a load balancer says
 * for whom it opened a connection (HAProxy, `proxy-protocol.txt`, 2020).
 *
 * Pure, and the same for every cut of the octets. What cannot become a header
 * is known as early as its first wrong octet. Version 2's TLVs are skipped, its
 * checksum too: the listed sender is trusted, or the header is not read at all.
 *
 * Not: Unix sockets, which carry no address for us, and datagrams.
 */
import { isIPv4, isIPv6 } from "node:net";

/** Longest header of version 1, with its CRLF. */
export const MAX_V1 = 107;
/** Longest header of version 2 that is read: one unfragmented segment. */
export const MAX_V2 = 536;

/** For whom the connection was opened. */
export interface ProxiedClient {
  /** As in `client_limits.ts`, before its disguise is taken off. */
  readonly address: string;
  readonly port: number;
}

/** What the octets so far are. */
export type ProxyReading =
  | { readonly is: "more" }
  | { readonly is: "bad"; readonly why: string }
  | {
    readonly is: "header";
    /** Octets of the header; what follows is the client's. */
    readonly end: number;
    /** Undefined if the proxy speaks for itself, or does not know. */
    readonly client: ProxiedClient | undefined;
  };

const MORE: ProxyReading = { is: "more" };
const V1 = new TextEncoder().encode("PROXY ");
const V2 = new TextEncoder().encode("\r\n\r\n\0\r\nQUIT\n");
/** Signature, version and command, family, length. */
const V2_HEAD = 16;

/** Reads a header that starts with the first octet. */
export function readProxyHeader(octets: Uint8Array): ProxyReading {
  if (startsLike(octets, V2)) return readV2(octets);
  if (startsLike(octets, V1)) return readV1(octets);
  return bad("no PROXY header");
}

/** True if neither contradicts the other. */
function startsLike(octets: Uint8Array, sign: Uint8Array): boolean {
  const length = Math.min(octets.length, sign.length);
  for (let i = 0; i < length; i++) if (octets[i] !== sign[i]) return false;
  return true;
}

/** `PROXY TCP4 192.0.2.1 198.51.100.1 40000 25` */
function readV1(octets: Uint8Array): ProxyReading {
  const line = octets.subarray(0, MAX_V1);
  const cr = line.indexOf(0x0d);
  if (cr < 0 || cr === line.length - 1) {
    return line.length < MAX_V1 ? MORE : bad("line too long");
  }
  if (line[cr + 1] !== 0x0a) return bad("line does not end in CR LF");
  const text = String.fromCharCode(...line.subarray(V1.length, cr));
  const end = cr + 2;
  // Whatever else stands in the line of an unknown client means nothing.
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN ")) {
    return { is: "header", end, client: undefined };
  }
  const [family, from = "", to = "", fromPort, toPort, ...rest] = text
    .split(" ");
  if (family !== "TCP4" && family !== "TCP6") return bad("unknown family");
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  const zone = from.includes("%") || to.includes("%");
  if (!isAddress(from) || !isAddress(to) || zone) return bad("no address");
  const port = portOf(fromPort);
  if (port === undefined || portOf(toPort) === undefined || rest.length > 0) {
    return bad("no port");
  }
  return { is: "header", end, client: { address: shortForm(from), port } };
}

function readV2(octets: Uint8Array): ProxyReading {
  const [command, family] = octets.subarray(V2.length);
  if (command !== undefined && command !== 0x20 && command !== 0x21) {
    return bad("unknown version or command");
  }
  // LOCAL: a health check of the proxy itself; all else is to be ignored.
  const isLocal = command === 0x20;
  if (family !== undefined && !isLocal && !FAMILIES.has(family)) {
    return bad("unknown family");
  }
  if (octets.length < V2_HEAD) return MORE;
  const end = V2_HEAD + octets[14]! * 256 + octets[15]!;
  if (end > MAX_V2) return bad("header too long");
  const size = isLocal ? 0 : FAMILIES.get(family!)!;
  if (end < V2_HEAD + size * 2 + (size > 0 ? 4 : 0)) {
    return bad("header too short");
  }
  if (octets.length < end) return MORE;
  if (size === 0) return { is: "header", end, client: undefined };
  const address = addressText(octets.subarray(V2_HEAD, V2_HEAD + size));
  const at = V2_HEAD + 2 * size;
  const port = octets[at]! * 256 + octets[at + 1]!;
  return { is: "header", end, client: { address, port } };
}

/** Octets of an address by family and transport; 0 if there is none for us. */
const FAMILIES: ReadonlyMap<number, number> = new Map([
  [0x00, 0], // unspecified
  [0x11, 4], // TCP over IPv4
  [0x21, 16], // TCP over IPv6
  [0x31, 0], // Unix stream
]);

function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const words: string[] = [];
  for (let i = 0; i < octets.length; i += 2) {
    words.push((octets[i]! * 256 + octets[i + 1]!).toString(16));
  }
  return shortForm(words.join(":"));
}

// As sockets tell addresses: a client has one name, whoever introduces it.
function shortForm(address: string): string {
  return address.includes(":")
    ? new URL(`http://[${address}]/`).hostname.slice(1, -1)
    : address;
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9][0-9]{0,4})$/.test(text)) {
    return undefined;
  }
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function bad(why: string): ProxyReading {
  return { is: "bad", why };
}
