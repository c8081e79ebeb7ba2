/**
 * Does a certificate name the server that was meant? RFC 7672 §3.2.3. Pure.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import type { Certificate } from "./x509.ts";

/** How a certificate's names are read. */
export interface NameRules {
  /**
   * Whether the common name counts where there is no dNSName: for DANE (RFC
   * 7672 §3.2.3), not for MTA-STS (RFC 8461 §4.2).
   */
  readonly mayCommonName: boolean;
}

/** The name of a certificate that fits one of `references`; or undefined. */
export function fittingName(
  certificate: Certificate,
  references: readonly string[],
  rules: NameRules,
): string | undefined {
  const { dnsNames, commonName } = certificate;
  const names = dnsNames.length > 0 || !rules.mayCommonName ||
      commonName === ""
    ? dnsNames
    : [commonName];
  const wanted = references.slice(0, 100);
  const byName = names.find((name) =>
    wanted.some((reference) => isNamed(name, reference))
  );
  return byName ??
    wanted.find((one) => certificate.addresses.includes(addressHex(one)));
}

/**
 * True if a presented name (perhaps `*.below.test`) fits a reference, a name
 * or `.below.test` for everything below it. The asterisk stands for one whole
 * leftmost label, and never just above a name of one label.
 */
export function isNamed(presented: string, reference: string): boolean {
  const given = withoutDot(presented);
  const wanted = withoutDot(reference);
  if (!given.startsWith("*.")) {
    return wanted.startsWith(".")
      ? given.endsWith(wanted) && given.length > wanted.length
      : given === wanted;
  }
  const parent = given.slice(1);
  if (parent.lastIndexOf(".") === 0) return false;
  if (wanted.startsWith(".")) return parent.endsWith(wanted);
  const dot = wanted.indexOf(".");
  return dot > 0 && wanted.slice(dot) === parent;
}

function withoutDot(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** The octets of an IP address in hex; empty if it is none. */
function addressHex(text: string): string {
  switch (net.isIP(text)) {
    case 4:
      return Buffer.from(text.split(".").map(Number)).toString("hex");
    case 6: {
      const host = new URL(`http://[${text.split("%")[0]}]`).hostname;
      const [head = "", tail] = host.slice(1, -1).split("::");
      const words = (part: string) => part === "" ? [] : part.split(":");
      const left = words(head);
      const right = words(tail ?? "");
      const gap = Array(8 - left.length - right.length).fill("0");
      return [...left, ...gap, ...right]
        .map((word) => word.padStart(4, "0")).join("");
    }
    default:
      return "";
  }
}
