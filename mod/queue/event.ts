/** What the history of deliveries is made of. */
import type { AttemptedHost } from "../smtpc/smtpc_ipc.ts";
import type { Taken } from "./story_ipc.ts";

/** One thing that happened to a message or to one of its recipients. */
export interface Event {
  readonly atMs: number;
  readonly queueId: string;
  /** Empty if it concerns the whole message. */
  readonly recipient: string;
  readonly what:
    | "accepted"
    | "delivered"
    | "deferred"
    | "failed"
    | "duplicate"
    | "expanded"
    | "notified"
    | "double-bounce"
    | "bounce-attributed"
    | "corrupt"
    | "held"
    | "released"
    | "retried"
    | "rerouted"
    | "deleted"
    /** An administrator looked at its content. */
    | "read"
    | "removed"
    /** Its key is destroyed. */
    | "erased";
  readonly host?: string;
  readonly tls?: string;
  readonly code?: number;
  readonly text?: string;
  /** Of the host that was asked last. */
  readonly address?: string;
  readonly tookMs?: number;
  /** Every host that was tried, in their order. */
  readonly hosts?: readonly AttemptedHost[];
  /** Lines of the session, never of the content. */
  readonly transcript?: readonly string[];
  /** Of `accepted`. */
  readonly taken?: Taken;
  /** Of `accepted`: the subject's words. Never written, but for digests. */
  readonly words?: readonly string[];
}

/**
 * A story in JSON: without the id that its row bears, and without what is
 * empty, which is most of it.
 */
export function storyText(story: readonly Event[]): string {
  return JSON.stringify(
    story.map((event) => ({
      atMs: event.atMs,
      what: event.what,
      recipient: event.recipient || undefined,
      host: event.host || undefined,
      tls: event.tls || undefined,
      code: event.code || undefined,
      text: event.text || undefined,
      address: event.address || undefined,
      tookMs: event.tookMs || undefined,
      hosts: event.hosts?.length ? event.hosts.map(hostInShort) : undefined,
      transcript: event.transcript?.length ? event.transcript : undefined,
      taken: event.taken && takenInShort(event.taken),
    })),
  );
}

function takenInShort({ intake, ...taken }: Taken) {
  return { ...withoutEmpty(taken), intake: intake ?? undefined };
}

/** What {@link storyText} left out of how a message was taken. */
export function wholeTaken(taken: Partial<Taken>): Taken {
  return {
    sender: "",
    recipients: [],
    recipientCount: 0,
    address: "",
    helo: "",
    protocol: "",
    login: "",
    sizeBytes: 0,
    segment: "",
    slot: 0,
    intake: null,
    ...taken,
  };
}

function hostInShort({ dns, ...host }: AttemptedHost) {
  const isAsked = dns.mx !== "" || dns.address !== "" || dns.tlsa !== "";
  return { ...withoutEmpty(host), dns: isAsked ? dns : undefined };
}

function withoutEmpty<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== "" && value !== 0),
  ) as Partial<T>;
}

/** An event without the lines and hosts that make it long. */
export function inShort(event: Event): Event {
  const { transcript: _, hosts: __, taken, ...short } = event;
  return taken === undefined
    ? short
    : { ...short, taken: { ...taken, intake: null } };
}

/** What {@link storyText} left out of a host. */
export function wholeHost(host: Partial<AttemptedHost>): AttemptedHost {
  return {
    host: "",
    address: "",
    port: 0,
    profile: "none",
    demand: "",
    reached: "",
    tls: "",
    certificate: "",
    mtaSts: "",
    result: "",
    tookMs: 0,
    dns: { mx: "", address: "", tlsa: "" },
    ...host,
  };
}

/** A transcript's lines; a damaged one must not hide the rest of the story. */
export function linesOf(json: string): readonly string[] {
  if (json === "") return [];
  try {
    const lines: unknown = JSON.parse(json);
    return Array.isArray(lines) ? lines.map(String) : [];
  } catch {
    return ["(unreadable)"];
  }
}
