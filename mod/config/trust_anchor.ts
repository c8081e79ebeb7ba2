/** Trust anchors as people write them. */
import { foldAscii, isDomainName } from "./names.ts";

const MAX_DIGEST_HEX = 512;

/**
 * Reads a DS record (RFC 4034 §5.3): `example.test. 3600 IN DS 1 13 2 AB CD`.
 * Time and class may be left out, gaps may be in the digest.
 *
 * @returns `zone DS tag algorithm digest-type digest`, the root's zone as `.`;
 * or undefined if it is none
 */
export function trustAnchor(text: string): string | undefined {
  if (text.length > 2_000) return undefined;
  const words = foldAscii(text).split(" ").filter((word) => word !== "");
  const ds = words.indexOf("ds");
  if (ds < 1 || ds > 3) return undefined;
  const owner = words[0]!;
  const zone = owner.endsWith(".") ? owner.slice(0, -1) : owner;
  if (zone !== "" && !isDomainName(zone)) return undefined;
  const [tag, algorithm, digestType] = words.slice(ds + 1, ds + 4)
    .map((word) => /^[0-9]{1,5}$/.test(word) ? Number(word) : Infinity);
  if (!(tag! <= 65_535 && algorithm! <= 255 && digestType! <= 255)) {
    return undefined;
  }
  const digest = words.slice(ds + 4).join("");
  const isHex = /^[0-9a-f]+$/.test(digest) && digest.length % 2 === 0 &&
    digest.length <= MAX_DIGEST_HEX;
  if (!isHex) return undefined;
  const numbers = `${tag} ${algorithm} ${digestType}`;
  return `${zone === "" ? "." : zone} DS ${numbers} ${digest}`;
}
