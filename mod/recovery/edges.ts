/**
 * Every edge between two states of a message, and what a crash on it means:
 * the one table from which `README.md` is written and the tests in
 * `tests/crash/recovery_test.ts` are made. Data, no code; a library.
 *
 * A row says what a crash *right after the step* leaves, what the successors
 * find and do, what the sender was told by then and is told in the end, and
 * how many copies each recipient gets. For each row and each way to die, a
 * test brings real components to that step, ends them, starts new ones, and
 * holds them to this row.
 */
import type { StateName } from "./states.ts";

/** Who moves a message along an edge. */
export type Mover = "smtpd" | "spool" | "queue" | "maildir" | "shred";

/**
 * Who dies.
 *
 * - `queue`, `spool`, `smtpd`: that role alone
 * - `both`: queue and spool; smtpd waits with its client at the line
 * - `kill`: every process; the kernel writes what they wrote
 * - `power`: everything; only what a sync covered is sure to be there. Tested
 *   with none of the rest, all of it, some of it, and some of it torn
 */
export type Death = "queue" | "spool" | "both" | "smtpd" | "kill" | "power";

/** Every way to die. */
export const DEATHS: readonly Death[] = [
  "queue",
  "spool",
  "both",
  "smtpd",
  "kill",
  "power",
];

/**
 * Who else dies where files are overwritten. No message hangs on shred: the end
 * is that of the spool's death.
 */
export type ShredDeath = "shred" | "spool and shred";

/** See {@link ShredDeath}. */
export const SHRED_DEATHS: readonly ShredDeath[] = ["shred", "spool and shred"];

/** What the sender is told: `-` is a connection that broke. */
export type Told = "-" | "250" | "4xx";

/** What the end of it all is, for one way to die. */
export interface End {
  readonly told: Told;
  /** Copies that each recipient gets: at least, at most. */
  readonly copies: readonly [least: number, most: number];
}

/**
 * What is on disk: the row in `messages` by its state; `K` if the key slot
 * holds its key; `C` if a reader with reference and key gets the content.
 */
export type Leaves = `${RowState} ${"K" | "-"} ${"C" | "-"}`;

type RowState = "-" | "incoming" | "queued" | "corrupt";

/** What the queue's sweep calls it, as in the log event `queue-swept`. */
export type Finds =
  | "nothing"
  | "strayKeys"
  | "neverAcknowledged"
  | "unconfirmed"
  | "queued"
  | "corrupt";

/** What a test sends, and what goes wrong with it besides the crash. */
export type Script =
  | "plain"
  | "big" // a file of its own
  | "preparing" // there is no ready segment yet
  | "held" // the mailbox is slow
  | "late" // the mailbox says 451 once
  | "alias" // one recipient is two
  | "failing" // the mailbox says 550: the sender gets a notice
  | "double" // and so does the sender's
  | "damaged" // the record was altered on the disk
  | "lost-sync" // the sync of the content fails
  | "lost-key" // the sync of the key slot fails
  | "lost-log" // the sync of SQLite's log fails
  | "adopting" // the spool was started anew
  | "full" // a later message finds no room in the segment
  | "filled" // the same, when the first one is gone
  | "idle" // it is gone, and nobody writes to its segment any more
  | "straggling"; // it is deferred, and the rest of its segment is gone

/** One edge; see the file's head. */
export interface Edge {
  readonly name: string;
  readonly from: StateName;
  readonly to: StateName;
  readonly by: Mover;
  /** After a kill: whatever was written. After a power cut: what was synced. */
  readonly leaves: { readonly kill: Leaves; readonly power: Leaves };
  readonly finds: { readonly kill: Finds; readonly power: Finds };
  /** What a start does about it, for people. */
  readonly start: string;
  /** What the sender was told when the step was done. */
  readonly told: Told;
  readonly ends: Readonly<Record<Death, End>>;
  /** Files are overwritten here: shred may die, too. */
  readonly isErasing?: true;
  /** How a test gets there: these steps, in this order, others in between. */
  readonly reach: {
    readonly script: Script;
    readonly steps: readonly string[];
  };
}

function end(told: Told, least: number, most = least): End {
  return { told, copies: [least, most] };
}

/** The sender has its 250 whoever dies. */
function acknowledged(copies: End, other: Partial<Record<Death, End>> = {}) {
  return {
    queue: copies,
    spool: copies,
    both: copies,
    smtpd: copies,
    kill: copies,
    power: copies,
    ...other,
  };
}

/** Nobody was told anything; who lives through it may still say 250. */
function unanswered(ends: Partial<Record<Death, End>>) {
  return {
    queue: ONCE,
    spool: ONCE,
    both: ONCE,
    smtpd: NEVER,
    kill: NEVER,
    power: NEVER,
    ...ends,
  };
}

const ONCE = end("250", 1);
const REFUSED = end("4xx", 0);
const NEVER = end("-", 0);
/** A copy of which the sender knows nothing; it will send again. */
const GHOST = end("-", 1);
/** The same, if what was not synced happens to be there. */
const PERHAPS = end("-", 0, 1);

const SAME = (leaves: Leaves) => ({ kill: leaves, power: leaves });
const FINDS = (finds: Finds) => ({ kill: finds, power: finds });

/** The table. */
export const EDGES: readonly Edge[] = [
  // A message comes in.
  {
    name: "segment written",
    from: "none",
    to: "preparing",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "a `.new` file holds no record: removed, another is made",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "preparing", steps: ["write new"] },
  },
  {
    name: "segment named",
    from: "preparing",
    to: "ready",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the old name or the new one: no record is in it",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "preparing", steps: ["rename new"] },
  },
  {
    name: "octets arrive",
    from: "none",
    to: "streaming",
    by: "smtpd",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "nothing: a small message is in memory only",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "plain", steps: ["streaming"] },
  },
  {
    name: "large message written",
    from: "streaming",
    to: "streaming",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "its file is adopted by nobody: held for a while, then removed",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "big", steps: ["create big", "write big"] },
  },
  {
    name: "segment taken",
    from: "ready",
    to: "current",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start:
      "no successor writes to it: its records are kept, the rest is wasted",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "plain", steps: ["streaming", "write pool"] },
  },
  {
    name: "record written",
    from: "streaming",
    to: "stored",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "octets that nobody names are free space",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "plain", steps: ["streaming", "write pool"] },
  },
  {
    name: "record synced",
    from: "stored",
    to: "synced",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the same: nobody was told its place and its key",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "plain", steps: ["streaming", "sync pool"] },
  },
  {
    name: "large message synced",
    from: "stored",
    to: "stored",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "its file, if its name is there, is adopted by nobody: removed",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "big", steps: ["sync big"] },
  },
  {
    name: "large message named",
    from: "stored",
    to: "synced",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "as above",
    told: "-",
    ends: unanswered({ spool: REFUSED, both: REFUSED }),
    reach: { script: "big", steps: ["sync big", "sync names"] },
  },
  {
    name: "store answered",
    from: "synced",
    to: "synced",
    by: "spool",
    leaves: SAME("- - C"),
    finds: FINDS("nothing"),
    start: "its segment is held until the queue has had time to name it",
    told: "-",
    ends: unanswered({}),
    reach: { script: "plain", steps: ["stored"] },
  },
  {
    name: "sync failed",
    from: "stored",
    to: "lost",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "nothing: the store was refused",
    told: "4xx",
    ends: acknowledged(REFUSED),
    reach: { script: "lost-sync", steps: ["create retired", "replied"] },
  },
  {
    name: "segment retired",
    from: "current",
    to: "retired",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "without its mark it is a segment like others: not written again",
    told: "-",
    ends: unanswered({ queue: REFUSED, spool: REFUSED, both: REFUSED }),
    reach: { script: "lost-sync", steps: ["create retired"] },
  },
  {
    name: "failed segment handed over",
    from: "retired",
    to: "spent",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start:
      "no row names a record in it, wherever it lies: overwritten, removed",
    told: "-",
    ends: unanswered({ queue: REFUSED, spool: REFUSED, both: REFUSED }),
    isErasing: true,
    reach: { script: "lost-sync", steps: ["create retired", "rename pool"] },
  },
  {
    name: "failed segment removed",
    from: "overwritten",
    to: "none",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the file may come back, perhaps without its mark: free space",
    told: "4xx",
    ends: acknowledged(REFUSED),
    isErasing: true,
    reach: { script: "lost-sync", steps: ["replied", "remove spent"] },
  },
  {
    name: "key written",
    from: "synced",
    to: "keyed",
    by: "queue",
    leaves: { kill: "- K C", power: "- - C" },
    finds: { kill: "strayKeys", power: "nothing" },
    start: "a key that no row owns is wiped; smtpd asks the successor again",
    told: "-",
    ends: unanswered({ smtpd: GHOST }),
    reach: { script: "plain", steps: ["accept asked", "key written"] },
  },
  {
    name: "rows half written",
    from: "keyed",
    to: "keyed",
    by: "queue",
    leaves: { kill: "- K C", power: "- - C" },
    finds: { kill: "strayKeys", power: "nothing" },
    start: "SQLite takes the half transaction back; then as above",
    told: "-",
    ends: unanswered({ smtpd: GHOST }),
    reach: { script: "plain", steps: ["accept asked", "committing accept"] },
  },
  {
    name: "rows written",
    from: "keyed",
    to: "keyed",
    by: "queue",
    leaves: { kill: "incoming K C", power: "- - C" },
    finds: { kill: "unconfirmed", power: "nothing" },
    start: "with a key as `accepted`, else as `committed`",
    told: "-",
    ends: unanswered({ smtpd: GHOST, kill: GHOST, power: PERHAPS }),
    reach: { script: "plain", steps: ["accept asked", "committed accept"] },
  },
  {
    name: "log sync failed",
    from: "keyed",
    to: "none",
    by: "queue",
    leaves: { kill: "incoming K C", power: "- - C" },
    finds: { kill: "unconfirmed", power: "nothing" },
    start: "the queue ends itself; a start writes the whole log back and syncs",
    told: "-",
    ends: unanswered({ smtpd: GHOST, kill: GHOST, power: PERHAPS }),
    reach: { script: "lost-log", steps: ["log sync failed"] },
  },
  {
    name: "rows synced",
    from: "keyed",
    to: "committed",
    by: "queue",
    leaves: { kill: "incoming K C", power: "incoming - C" },
    finds: { kill: "unconfirmed", power: "neverAcknowledged" },
    start: "without a key nobody was told 250: removed; else as `accepted`",
    told: "-",
    ends: unanswered({ smtpd: GHOST, kill: GHOST, power: PERHAPS }),
    reach: { script: "plain", steps: ["committed accept", "log synced"] },
  },
  {
    name: "key sync failed",
    from: "committed",
    to: "removed",
    by: "queue",
    leaves: { kill: "incoming K C", power: "incoming - C" },
    finds: { kill: "unconfirmed", power: "neverAcknowledged" },
    start: "every key is written and synced anew before it is relied on",
    told: "-",
    ends: unanswered({ spool: REFUSED, kill: GHOST, power: PERHAPS }),
    reach: { script: "lost-key", steps: ["key sync failed"] },
  },
  {
    name: "failed accept undone",
    from: "committed",
    to: "removed",
    by: "queue",
    leaves: { kill: "- - C", power: "incoming - C" },
    finds: { kill: "nothing", power: "neverAcknowledged" },
    start: "the row is gone, or has no key: removed",
    told: "4xx",
    ends: acknowledged(REFUSED),
    reach: {
      script: "lost-key",
      steps: ["key sync failed", "replied", "committed removed"],
    },
  },
  {
    name: "key synced",
    from: "committed",
    to: "accepted",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "it has its key, so it is kept and delivered",
    told: "-",
    ends: unanswered({ smtpd: GHOST, kill: GHOST, power: GHOST }),
    reach: {
      script: "plain",
      steps: ["committed accept", "log synced", "key synced"],
    },
  },
  {
    name: "accept answered",
    from: "accepted",
    to: "accepted",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "as above; and smtpd, if unanswered, asks again: the same record",
    told: "-",
    ends: unanswered({ smtpd: GHOST, kill: GHOST, power: GHOST }),
    reach: { script: "plain", steps: ["accept done"] },
  },

  // The sender has its 250.
  {
    name: "250 written",
    from: "accepted",
    to: "acknowledged",
    by: "smtpd",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "it has its key, so it is kept and delivered",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["replied"] },
  },
  {
    name: "spool told what is in use",
    from: "acknowledged",
    to: "adopted",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start:
      "told again from the first page; nothing is overwritten before the last",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "adopting", steps: ["replied", "adopt asked"] },
  },
  {
    name: "job given out",
    from: "acknowledged",
    to: "leased",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "nobody knows of the job: another is given out",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "held", steps: ["deliver asked"] },
  },
  {
    name: "mark synced",
    from: "acknowledged",
    to: "queued",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "delivered at once",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "held",
      steps: ["deliver asked", "committed marked", "log synced"],
    },
  },

  // Delivery.
  {
    name: "in the mailbox",
    from: "leased",
    to: "delivered",
    by: "maildir",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "asked for again, as a repeat: the mailbox finds its own file",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["delivered"] },
  },
  {
    name: "outcome answered",
    from: "delivered",
    to: "delivered",
    by: "maildir",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "as above: an outcome lingers up to 8 ms for company",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["deliver answered"] },
  },
  {
    name: "outcome half written",
    from: "delivered",
    to: "delivered",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "SQLite takes the half transaction back; then as above",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["committing done"] },
  },
  {
    name: "outcome written",
    from: "delivered",
    to: "delivered",
    by: "queue",
    leaves: { kill: "- K C", power: "incoming K C" },
    finds: { kill: "strayKeys", power: "unconfirmed" },
    start: "as `done`, or asked for again, as a repeat",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["committed done"] },
  },
  {
    name: "deferred",
    from: "leased",
    to: "deferred",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "nothing, until it is due",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "late", steps: ["committed deferred", "log synced"] },
  },
  {
    name: "due again",
    from: "deferred",
    to: "leased",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "nobody knows of the job: another is given out",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "late", steps: ["committed deferred", "deliver asked"] },
  },
  {
    name: "alias half replaced",
    from: "acknowledged",
    to: "acknowledged",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "SQLite takes the half transaction back: the alias is still there",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "alias", steps: ["committing expanded"] },
  },
  {
    name: "alias replaced",
    from: "acknowledged",
    to: "acknowledged",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "those that the alias named are delivered, the alias never",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "alias", steps: ["committed expanded", "log synced"] },
  },
  {
    name: "damage half written",
    from: "leased",
    to: "leased",
    by: "queue",
    leaves: SAME("queued K -"),
    finds: FINDS("queued"),
    start: "tried again, and found again",
    told: "250",
    ends: acknowledged(end("250", 0)),
    reach: { script: "damaged", steps: ["committing corrupt"] },
  },
  {
    name: "damage committed",
    from: "leased",
    to: "corrupt",
    by: "queue",
    leaves: SAME("corrupt K -"),
    finds: FINDS("nothing"),
    start: "nothing: kept with all its recipients, for a human",
    told: "250",
    ends: acknowledged(end("250", 0)),
    reach: { script: "damaged", steps: ["committed corrupt", "log synced"] },
  },

  // Failure for good.
  {
    name: "failed for good",
    from: "leased",
    to: "bounce",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "the notice is composed and sent",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "failing", steps: ["committed bounce", "log synced"] },
  },
  {
    name: "notice stored",
    from: "bounce",
    to: "notice stored",
    by: "spool",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "composed again; the first one's record is adopted by nobody",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "failing",
      steps: ["committed bounce", "storeNotice answered"],
    },
  },
  {
    name: "notice's key synced",
    from: "notice stored",
    to: "notice keyed",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("strayKeys"),
    start: "as above, and the first one's key is wiped",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "failing",
      steps: ["committed bounce", "key written", "key synced"],
    },
  },
  {
    name: "notice half written",
    from: "notice keyed",
    to: "notice keyed",
    by: "queue",
    leaves: SAME("incoming K C"),
    finds: FINDS("strayKeys"),
    start: "SQLite takes the half transaction back; then as above",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "failing",
      steps: ["committed bounce", "committing notice"],
    },
  },
  {
    name: "notice committed",
    from: "notice keyed",
    to: "done",
    by: "queue",
    leaves: SAME("- K C"),
    finds: FINDS("strayKeys"),
    start: "one transaction: the notice is queued, the failed are gone",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "failing",
      steps: ["committed bounce", "committed notice", "log synced"],
    },
  },
  {
    name: "notice failed",
    from: "bounce",
    to: "bounce",
    by: "queue",
    leaves: SAME("- - C"),
    finds: FINDS("nothing"),
    start: "nobody is told of a notice's failure: it goes, with a log line",
    told: "250",
    ends: acknowledged(end("250", 0)),
    reach: {
      script: "double",
      steps: [
        "committed notice",
        "key synced",
        "committed bounce",
        "log synced",
      ],
    },
  },

  // The end of a message.
  {
    name: "rows deleted",
    from: "delivered",
    to: "done",
    by: "queue",
    leaves: SAME("- K C"),
    finds: FINDS("strayKeys"),
    start:
      "a key that no row owns is wiped; the spool is not told of the record",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["committed done", "log synced"] },
  },
  {
    name: "key overwritten",
    from: "done",
    to: "done",
    by: "queue",
    leaves: { kill: "- - C", power: "- K C" },
    finds: { kill: "nothing", power: "strayKeys" },
    start: "wiped again and synced, then as above",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["committed done", "key wiped"] },
  },
  {
    name: "key destroyed",
    from: "done",
    to: "key destroyed",
    by: "queue",
    leaves: SAME("- - C"),
    finds: FINDS("nothing"),
    start: "the spool is not told of the record: free space",
    told: "250",
    ends: acknowledged(ONCE),
    reach: {
      script: "plain",
      steps: ["committed done", "key wiped", "key synced"],
    },
  },
  {
    name: "released",
    from: "key destroyed",
    to: "released",
    by: "spool",
    leaves: SAME("- - C"),
    finds: FINDS("nothing"),
    start: "octets without a key: overwritten when the segment is spent",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "plain", steps: ["release answered"] },
  },

  // The end of a segment, or of a large message's file.
  {
    name: "segment full",
    from: "current",
    to: "closed",
    by: "spool",
    leaves: SAME("incoming K C"),
    finds: FINDS("unconfirmed"),
    start: "it stays as it is while a row names a record in it",
    told: "250",
    ends: acknowledged(ONCE),
    reach: { script: "full", steps: ["replied", "streaming", "write pool"] },
  },
  {
    name: "segment handed over",
    from: "closed",
    to: "spent",
    by: "spool",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "in `spent/` or under its old name: no row names a record in it",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "filled", steps: ["release answered", "rename pool"] },
  },
  {
    name: "idle segment handed over",
    from: "current",
    to: "spent",
    by: "spool",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "as above",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "idle", steps: ["release answered", "rename pool"] },
  },
  {
    name: "segment half overwritten",
    from: "spent",
    to: "overwriting",
    by: "shred",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "overwritten from its beginning, wherever it lies",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "write spent"],
    },
  },
  {
    name: "segment written over",
    from: "overwriting",
    to: "overwriting",
    by: "shred",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "as above",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "write spent", "write spent"],
    },
  },
  {
    name: "segment overwritten",
    from: "overwriting",
    to: "overwritten",
    by: "shred",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "nobody was told: overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "sync spent"],
    },
  },
  {
    name: "overwriting answered",
    from: "overwritten",
    to: "overwritten",
    by: "shred",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the spool's successor does not know: overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "overwrite answered"],
    },
  },
  {
    name: "segment marked",
    from: "overwritten",
    to: "overwritten",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the mark means nothing in `spent/`: overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "mark spent"],
    },
  },
  {
    name: "segment renamed",
    from: "overwritten",
    to: "overwritten",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "under the new name it is ready; else overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "rename spent"],
    },
  },
  {
    name: "segment ready again",
    from: "overwritten",
    to: "ready",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "its time says that no record was written: ready",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "filled",
      steps: ["release answered", "rename pool", "rename spent", "sync names"],
    },
  },
  {
    name: "large message handed over",
    from: "released",
    to: "spent",
    by: "spool",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "in `spent/` or under its old name: adopted by nobody",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "big", steps: ["replied", "rename big"] },
  },
  {
    name: "large message half overwritten",
    from: "spent",
    to: "overwriting",
    by: "shred",
    leaves: { kill: "- - -", power: "- - C" },
    finds: FINDS("nothing"),
    start: "overwritten from its beginning, wherever it lies",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "big", steps: ["replied", "rename big", "write spent"] },
  },
  {
    name: "large message overwritten",
    from: "overwriting",
    to: "overwritten",
    by: "shred",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "big", steps: ["replied", "rename big", "sync spent"] },
  },
  {
    name: "large message removed",
    from: "overwritten",
    to: "gone",
    by: "spool",
    leaves: SAME("- - -"),
    finds: FINDS("nothing"),
    start: "the name may come back: overwritten and removed again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "big", steps: ["replied", "rename big", "remove spent"] },
  },

  // A deferred message moves out of a segment that is spent but for it.
  {
    name: "copy written",
    from: "deferred",
    to: "copied",
    by: "spool",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "octets that no row names are free space",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "straggling", steps: ["move asked", "write pool"] },
  },
  {
    name: "copy synced",
    from: "copied",
    to: "copied",
    by: "spool",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "as above",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "straggling", steps: ["move asked", "sync pool"] },
  },
  {
    name: "copy answered",
    from: "copied",
    to: "copied",
    by: "spool",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "as above: named in no row, adopted by nobody",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "straggling", steps: ["move asked", "move answered"] },
  },
  {
    name: "move half written",
    from: "copied",
    to: "copied",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "SQLite takes the half transaction back; then as above",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "straggling", steps: ["move asked", "committing moved"] },
  },
  {
    name: "move written",
    from: "copied",
    to: "copied",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "the row names the one or the other: both are whole",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: { script: "straggling", steps: ["move asked", "committed moved"] },
  },
  {
    name: "move synced",
    from: "copied",
    to: "moved",
    by: "queue",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "the old record is the one that no row names",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "straggling",
      steps: ["move asked", "committed moved", "log synced"],
    },
  },
  {
    name: "old record released",
    from: "moved",
    to: "deferred",
    by: "spool",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "the copy is the record; the old one is not told to any spool",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "straggling",
      steps: ["move asked", "committed moved", "release answered"],
    },
  },
  {
    name: "segment of the old record overwritten",
    from: "spent",
    to: "overwritten",
    by: "shred",
    leaves: SAME("queued K C"),
    finds: FINDS("queued"),
    start: "overwritten again",
    told: "250",
    ends: acknowledged(ONCE),
    isErasing: true,
    reach: {
      script: "straggling",
      steps: ["move asked", "committed moved", "rename pool", "sync spent"],
    },
  },
];
