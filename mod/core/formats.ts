/**
 * The versions of everything that lies in a home and outlives a program. One
 * table, because an upgrade must know all of them, and because who changes one
 * form shall see the others. A number is raised by whatever an older program
 * would read wrongly; what it may ignore needs no new number.
 *
 * Places and users of roles need none: a home's format file names those that
 * were made (see `mod/supervisor/care/format_file.ts`).
 */
export const FORMATS = {
  /** Where things lie; 1 is a home without a format file. */
  home: 2,
  /** Names and meanings of settings. */
  config: 1,
  /** `queue/queue.db`, its `user_version`. */
  queue: 4,
  /** `events/events.db`, its `user_version`. */
  events: 2,
  /** `gate/gate.db`, its `user_version`. */
  gate: 1,
  /** `queue/keys`: slots of 64 octets. */
  keys: 1,
  /** Records in segments; each one's header says it, too. */
  spool: 1,
  /** Files in `sts/`. */
  sts: 1,
} as const;

/** What has a version of its own. */
export type FormatName = keyof typeof FORMATS;

/** A version of each. */
export type Formats = Readonly<Record<FormatName, number>>;

/** Their names, in the table's order. */
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];
