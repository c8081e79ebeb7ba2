/** What people write to find a message. Pure. */
import { domainToASCII } from "node:url";
import { isAscii } from "./international.ts";

/**
 * A word of a question as the server writes it: without `<` and `>`, and a
 * domain in letters of any script by its A-labels (RFC 5890).
 */
export function asStored(word: string): string {
  const trimmed = word.trim();
  const bare = trimmed.startsWith("<") && trimmed.endsWith(">")
    ? trimmed.slice(1, -1)
    : trimmed;
  const domain = bare.slice(bare.lastIndexOf("@") + 1);
  if (domain === bare || isAscii(domain)) return bare;
  return bare.slice(0, -domain.length) + (domainToASCII(domain) || domain);
}

/** What somebody wrote for a queue id, in the form that ids have. */
export function asQueueId(word: string): string {
  return asStored(word).toUpperCase();
}
