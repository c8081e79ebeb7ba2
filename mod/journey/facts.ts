/**
 * The facts that a journey is told from, as they come from the queue's
 * databases and the gate's. Plain data: `mod/queue/story_ipc.ts` has their
 * shapes and bounds, as far as they cross a wall.
 */

/** One host that was tried, or was not and why. */
export interface HostFacts {
  readonly host: string;
  /** Empty if no connection was tried. */
  readonly address: string;
  readonly port: number;
  /** What the destination must have: `none`, `dane`, `verify`... */
  readonly profile: string;
  /** What that came to for this host. */
  readonly demand: string;
  readonly reached: "" | "clear" | "encrypted" | "verified" | "dane";
  readonly tls: string;
  readonly certificate: string;
  /** What DNSSEC said of each; empty if it was not asked. */
  readonly dns: {
    readonly mx: string;
    readonly address: string;
    readonly tlsa: string;
  };
  readonly mtaSts: string;
  /** The reply that ended it, or the trouble. */
  readonly result: string;
  readonly tookMs: number;
}

/** One thing that was looked at, at the door. */
export interface CheckFacts {
  readonly what: string;
  readonly said: "passed" | "failed" | "skipped";
  readonly evidence: string;
}

/** How a message was taken over. */
export interface TakenFacts {
  readonly sender: string;
  /** The first ones. */
  readonly recipients: readonly string[];
  readonly recipientCount: number;
  readonly address: string;
  readonly helo: string;
  readonly protocol: string;
  readonly login: string;
  readonly sizeBytes: number;
  readonly segment: string;
  readonly slot: number;
  readonly intake: {
    readonly tls: string;
    readonly name: string;
    readonly tookMs: number;
    readonly checks: readonly CheckFacts[];
  } | null;
}

/** One entry of the history. */
export interface EventFacts {
  readonly atMs: number;
  /** Empty if it concerns the whole message. */
  readonly recipient: string;
  readonly what: string;
  readonly host: string;
  readonly tls: string;
  readonly code: number;
  readonly text: string;
  /** Of the host that was asked last. */
  readonly address: string;
  readonly tookMs: number;
  readonly hosts: readonly HostFacts[];
  readonly transcript: readonly string[];
  /** With `accepted`, unless an older program wrote it. */
  readonly taken: TakenFacts | null;
}

/** A recipient that is still in the queue. */
export interface RecipientFacts {
  readonly address: string;
  readonly original: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextAttemptMs: number;
  readonly lastOutcome: string;
  readonly lastHost: string;
}

/** A message and its story. */
export interface StoryFacts {
  readonly queueId: string;
  /** Null if it left the queue. */
  readonly message: {
    readonly state: string;
    readonly arrivedMs: number;
    readonly sizeBytes: number;
    readonly sender: string;
    readonly nextHop: string;
    readonly recipients: readonly RecipientFacts[];
    readonly client: {
      readonly address: string;
      readonly helo: string;
      readonly protocol: string;
    };
  } | null;
  readonly events: readonly EventFacts[];
}

/** Mail, or a client, that was refused at the door. */
export interface RefusalFacts {
  readonly atMs: number;
  readonly client: string;
  /** `reject`, `defer`, `discard`, `hold`, `pass`. */
  readonly action: string;
  /** True if nothing came of it. */
  readonly shadow: boolean;
  readonly rule: string;
  readonly evidence: string;
  readonly reply: string;
  readonly undo: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipient: string;
}
