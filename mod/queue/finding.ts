/**
 * Looks messages up in the history: by queue id, by the addresses of sender
 * and recipients, by words of the subject. The running queue asks its own
 * database, `bulkhead why` one that it opened to read; every answer is bounded
 * in rows and octets, so that nobody waits for it.
 */
import type { DatabaseSync } from "node:sqlite";
import { QUEUE_ID_PATTERN } from "../core/ids.ts";
import { asStored } from "../core/sought_word.ts";
import { wordsOf } from "../core/subject_words.ts";
import { type Event, wholeHost, wholeTaken } from "./event.ts";
import type { ShownEvent } from "./inspect.ts";
import type { Found } from "./story_ipc.ts";
import type { Terms } from "./terms_io.ts";

/** Rows read for one term: the newest. */
const MAX_ROWS = 2_000;
/** Terms of one question; each must be true of what is found. */
const MAX_TERMS = 12;
/** Octets of one story, about, where it must fit into one frame. */
const MAX_STORY_OCTETS = 150_000;
/** Rows of one story that are read. */
const MAX_STORY_ROWS = 10_000;

const TEXTS = {
  byTerm: `SELECT e.queue_id FROM terms t JOIN events e ON e.n = t.n
    WHERE t.term = ? ORDER BY t.n DESC LIMIT ${MAX_ROWS}`,
  isKnown: "SELECT 1 FROM events WHERE queue_id = ? LIMIT 1",
  first:
    "SELECT at_ms, story FROM events WHERE queue_id = ? ORDER BY n LIMIT 1",
  last: `SELECT story FROM events WHERE queue_id = ?
    ORDER BY n DESC LIMIT 1`,
  stories: "SELECT story FROM events WHERE queue_id = ? ORDER BY n LIMIT ?",
} as const;

/** What one word of a question asks for. */
type Wanted =
  | { readonly is: "id"; readonly id: string }
  | { readonly is: "term"; readonly term: Uint8Array };

/**
 * Ids of the messages that all of `words` are true of, newest first.
 *
 * @param terms Undefined if this installation has no key: then only ids
 */
export function findIds(
  db: DatabaseSync,
  terms: Terms | undefined,
  asked: { readonly words: readonly string[]; readonly limit: number },
): readonly string[] {
  const isKnown = db.prepare(TEXTS.isKnown);
  const wanted = asked.words.flatMap((word) =>
    wantedBy(word, terms, (id) => isKnown.get(id) !== undefined)
  ).slice(0, MAX_TERMS);
  if (wanted.length === 0) return [];
  const byTerm = db.prepare(TEXTS.byTerm);
  let ids: Set<string> | undefined;
  for (const one of wanted) {
    const found = one.is === "id"
      ? [one.id]
      : byTerm.all(one.term).map((row) => String(row["queue_id"]));
    const before: Set<string> | undefined = ids;
    ids = new Set(
      before === undefined ? found : found.filter((id) => before.has(id)),
    );
  }
  // Ids sort by time.
  return [...ids ?? []].sort().reverse().slice(0, asked.limit);
}

function wantedBy(
  word: string,
  terms: Terms | undefined,
  isKnown: (id: string) => boolean,
): readonly Wanted[] {
  const bare = asStored(word);
  const id = bare.toUpperCase();
  if (QUEUE_ID_PATTERN.test(id) && (terms === undefined || isKnown(id))) {
    return [{ is: "id", id }];
  }
  if (terms === undefined) return [];
  if (bare.includes("@")) {
    return [{ is: "term", term: terms.ofAddress(bare) }];
  }
  return wordsOf(bare).map((one) => ({ is: "term", term: terms.ofWord(one) }));
}

/** What the history says of a message in short; undefined if nothing. */
export function foundOf(db: DatabaseSync, queueId: string): Found | undefined {
  const row = db.prepare(TEXTS.first).get(queueId);
  if (row === undefined) return undefined;
  const first = eventsIn(String(row["story"]));
  const last = db.prepare(TEXTS.last).get(queueId);
  const events = eventsIn(String(last?.["story"] ?? "[]"));
  const taken = first.find((one) => one.taken !== null)?.taken;
  const told = [...first, ...events].map(({ recipient }) => recipient)
    .filter((address) => address !== "");
  const to = taken?.recipients ?? [...new Set(told)];
  return {
    queueId,
    atMs: Number(row["at_ms"]),
    sender: taken?.sender ?? "",
    to: to.slice(0, 3),
    recipients: taken?.recipientCount ?? to.length,
    state: events.findLast(({ what }) => !SILENT.has(what))?.what ??
      first.at(-1)?.what ?? "",
  };
}

/** What follows the end of a message, and is none. */
const SILENT: ReadonlySet<string> = new Set(["erased", "bounce-attributed"]);

/** All that happened to a message, as far as it is kept. */
export function eventsOf(
  db: DatabaseSync,
  queueId: string,
): readonly ShownEvent[] {
  return db.prepare(TEXTS.stories).all(queueId, MAX_STORY_ROWS)
    .flatMap(({ story }) => eventsIn(String(story)));
}

/**
 * A story that fits into a frame: its first and last events, and the sessions
 * of the last ones.
 */
export function boundedStory(
  events: readonly ShownEvent[],
  most: number,
): readonly ShownEvent[] {
  const half = most >> 1;
  const few = events.length <= most
    ? events
    : [...events.slice(0, half), ...events.slice(-half)];
  let left = MAX_STORY_OCTETS - few.length * 400;
  const kept = few.toReversed().map((event) => {
    const octets = JSON.stringify(event).length;
    if (octets <= left) {
      left -= octets;
      return event;
    }
    return { ...event, hosts: [], transcript: [] };
  });
  return kept.toReversed();
}

function shownEvent(event: Partial<Event>): ShownEvent {
  return {
    atMs: event.atMs ?? 0,
    recipient: event.recipient ?? "",
    what: event.what ?? "(unreadable)",
    host: event.host ?? "",
    tls: event.tls ?? "",
    code: event.code ?? 0,
    text: event.text ?? "",
    address: event.address ?? "",
    tookMs: event.tookMs ?? 0,
    hosts: (event.hosts ?? []).map(wholeHost),
    transcript: event.transcript ?? [],
    taken: event.taken === undefined ? null : wholeTaken(event.taken),
  };
}

/** A row's events; a damaged one must not hide the rest of the story. */
function eventsIn(json: string): readonly ShownEvent[] {
  try {
    const events: unknown = JSON.parse(json);
    if (Array.isArray(events)) return events.map(shownEvent);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return [shownEvent({})];
}
