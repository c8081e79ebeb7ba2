/** Where a domain wants its TLS reports: RFC 8460 §3, the TXT record. Pure. */
import { parseAddress } from "../core/address.ts";

/** Addresses that one report goes to. */
const MOST_ADDRESSES = 10;
/** Octets of a record that are looked at. */
const MOST_OCTETS = 4_096;

/** What the records of `_smtp._tls.DOMAIN` say. */
export type Wish =
  /** There is none, or not just one, or none that can be read. */
  | { readonly kind: "none" }
  | {
    readonly kind: "wanted";
    readonly mailto: readonly string[];
    /** Ways that we do not know, such as `https`. */
    readonly others: number;
  };

/**
 * Reads the records: those that do not begin with `v=TLSRPTv1;` are others',
 * and two that do are as good as none.
 */
export function readWish(texts: readonly string[]): Wish {
  const ours = texts.filter(isOurs);
  const [record] = ours;
  if (record === undefined || ours.length > 1) return { kind: "none" };
  const rua = record.slice(0, MOST_OCTETS).split(";").slice(1)
    .map(fieldOf).find(({ name }) => name === "rua");
  if (rua === undefined) return { kind: "none" };
  const mailto: string[] = [];
  let others = 0;
  for (const uri of rua.value.split(",")) {
    const address = mailtoAddress(uri.trim());
    if (address === undefined) others++;
    else if (mailto.length < MOST_ADDRESSES && !mailto.includes(address)) {
      mailto.push(address);
    }
  }
  return { kind: "wanted", mailto, others };
}

function isOurs(text: string): boolean {
  const { name, value } = fieldOf(text.split(";", 1)[0]!);
  return name === "v" && value === "TLSRPTv1";
}

function fieldOf(text: string): { name: string; value: string } {
  const equals = text.indexOf("=");
  return equals < 0 ? { name: "", value: "" } : {
    name: text.slice(0, equals).trim(),
    value: text.slice(equals + 1).trim(),
  };
}

/** The address in a `mailto:` (RFC 6068); header fields in it are left out. */
function mailtoAddress(uri: string): string | undefined {
  const scheme = "mailto:";
  if (uri.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  const path = uri.slice(scheme.length).split("?", 1)[0]!;
  const address = parseAddress(percentDecoded(path) ?? "");
  // It stands in a header that is ASCII, and needs no SMTPUTF8.
  return address !== undefined && /^[\x21-\x7e]+$/.test(address)
    ? address
    : undefined;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
