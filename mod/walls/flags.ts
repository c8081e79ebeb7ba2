/**
 * Manifest -> Deno flags. An empty list renders nothing, because a bare
 * `--allow-x` grants everything; a path that is not absolute, or the root
 * itself, is refused for the same reason.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { Ffi, Needs } from "./manifest.ts";

/** The edges of one process: paths of the sockets that it connects to. */
export interface PlugPaths {
  readonly plugs: readonly string[];
}

/** A manifest that asks for more than a role may have. */
export class ManifestError extends Error {
  override name = "ManifestError";
}

/**
 * Renders the permission flags of one process.
 *
 * @throws {ManifestError} If a right is not narrow: our bug, found at start
 */
export function permissionFlags(
  needs: Needs,
  edges: PlugPaths,
  ffi?: Ffi,
): string[] {
  // Deno wants all three for a Unix socket.
  const sockets = [...edges.plugs, ...needs.connectUnix ?? []];
  const read = [...needs.read, ...sockets].map(narrowPath);
  const write = [
    ...needs.write,
    ...needs.overwrite ?? [],
    ...needs.remove ?? [],
    ...sockets,
  ].map(narrowPath);
  const net = [
    ...sockets.map((path) => `unix:${path}`),
    ...needs.connect.map(netTarget),
    ...(needs.bind ?? []).map(bindTarget),
    ...needs.udp ? udpSources(needs) : [],
  ];
  const flags: string[] = [];
  const add = (name: string, values: readonly string[]) => {
    if (values.length > 0) {
      flags.push(`--allow-${name}=${[...new Set(values)].join(",")}`);
    }
  };
  add("read", read);
  add("write", write);
  add("net", net);
  add("env", (needs.env ?? []).map(narrowName));
  add("sys", needs.sys ?? []);
  add("ffi", ffi ? [narrowPath(ffi.library)] : []);
  return flags;
}

/** Where datagrams may come from here: any port that the kernel chooses. */
function udpSources({ connect }: Needs): string[] {
  const isSix = ({ host }: { host: string }) => host.includes(":");
  return [
    ...connect.some((one) => !isSix(one)) ? ["0.0.0.0:0"] : [],
    ...connect.some(isSix) ? ["[::]:0"] : [],
  ];
}

/** Checks that a path is absolute, plain, below the root, and flag-safe. */
export function narrowPath(path: string): string {
  const parts = path.split("/");
  if (
    !path.startsWith("/") || parts.length < 2 || parts[1] === "" ||
    parts.includes("..") || parts.includes(".") || path.includes(",") ||
    path.includes("\0")
  ) {
    throw new ManifestError(
      `Cannot grant path ${JSON.stringify(path)}: it must be absolute, ` +
        "below /, without `..` and commas",
    );
  }
  return path;
}

function narrowName(name: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
    throw new ManifestError(`Cannot grant environment variable ${name}`);
  }
  return name;
}

function bindTarget(address: string): string {
  if (isIPv4(address)) return `${address}:0`;
  if (!isIPv6(address) || address.includes("%")) {
    throw new ManifestError(`Cannot grant connecting from ${address}`);
  }
  return `[${address}]:0`;
}

function netTarget(target: { host: string; port: number }): string {
  const { host, port } = target;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ManifestError(`Cannot grant connecting to port ${port}`);
  }
  // The port stays in the flag: "every IPv4 address, at port 25" is narrow.
  if (host === "any-ipv4") return `0.0.0.0/0:${port}`;
  if (host.includes(":")) return `[${host}]:${port}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(host)) {
    throw new ManifestError(
      `Cannot grant connecting to ${JSON.stringify(host)}`,
    );
  }
  return `${host}:${port}`;
}
