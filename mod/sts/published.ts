/** What a server handed out, read as a policy (RFC 8461 §3.2). Pure. */
import { readPolicyFile } from "../dane/sts.ts";
import type { Failed } from "./fetch_io.ts";
import type { Published } from "./policies.ts";

/** Octets of a policy that its lines for TLSRPT are taken from. */
const SHOWN = 8_192;

/** Reads the octets of a policy. */
export function published(octets: Uint8Array): Published | Failed {
  const read = readPolicyFile(octets);
  if ("why" in read) {
    return { kind: "failed", failure: "sts-policy-invalid", why: read.why };
  }
  const { mode, mx, maxAge } = read;
  return {
    kind: "policy",
    mode,
    mx,
    lines: linesOf(octets),
    maxAgeMs: maxAge * 1_000,
  };
}

/** The first lines as they are, for TLSRPT; what is not ASCII is replaced. */
function linesOf(octets: Uint8Array): string[] {
  return new TextDecoder("latin1").decode(octets.subarray(0, SHOWN))
    .replace(/[^\n\x20-\x7e]/g, "").split("\n")
    .filter((line) => line !== "").slice(0, 20)
    .map((line) => line.slice(0, 300));
}
