/** What the history of deliveries is made of. */

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
    | "corrupt"
    | "held"
    | "released"
    | "removed";
  readonly host?: string;
  readonly tls?: string;
  readonly code?: number;
  readonly text?: string;
  /** Lines of the session, never of the content. */
  readonly transcript?: readonly string[];
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
