/** Which messages `bulkhead queue list` is about. Pure. */
import type { ListedMessage } from "./inspect.ts";

/** What a message must be; what is empty, lets all through. */
export interface ListFilter {
  /** One recipient's state. */
  readonly state: string;
  /** One recipient's domain, and those below it if it begins with a dot. */
  readonly domain: string;
  /** The sender's address, or its domain; `<>` is the empty one. */
  readonly sender: string;
}

/** True if a message fits all that is asked; state and domain in one recipient. */
export function isLetThrough(
  { sender, recipients }: Pick<ListedMessage, "sender" | "recipients">,
  filter: ListFilter,
): boolean {
  return fitsSender(sender, filter.sender.toLowerCase()) &&
    recipients.some(({ state, address }) =>
      (filter.state === "" || state === filter.state) &&
      fitsDomain(domainOf(address), filter.domain.toLowerCase())
    );
}

function fitsSender(sender: string, wanted: string): boolean {
  if (wanted === "") return true;
  if (wanted === "<>") return sender === "";
  const own = sender.toLowerCase();
  return wanted.includes("@")
    ? own === wanted
    : sender !== "" && fitsDomain(domainOf(own), wanted);
}

function fitsDomain(domain: string, wanted: string): boolean {
  if (wanted === "") return true;
  return wanted.startsWith(".") ? domain.endsWith(wanted) : domain === wanted;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
