/**
 * Reads every message's content through: the queue's jail gives places and
 * keys, the spool's jail opens the seals, and neither sees what the other
 * does. Keys pass through here, as they do through no log and no file.
 */
import { keyedPage, stillThere } from "../../queue/care_ipc.ts";
import { contentsRead } from "../../spool/care_ipc.ts";
import { askJailed, type CareSite } from "./jail.ts";

/** A message that cannot be read. */
export interface Unreadable {
  readonly id: string;
  readonly segment: string;
  readonly offset: number;
  readonly why: string;
}

/** What was read. */
export interface ContentsCheck {
  readonly messages: number;
  readonly octets: number;
  readonly bad: readonly Unreadable[];
}

/** Ids in one argument. */
const IDS_AT_ONCE = 500;

/**
 * Reads all that a queue has.
 *
 * @param queue The site with the rows and the keys, in the directory `below`
 * @param spool The site with the segments
 */
export async function readContents(
  { queue, spool, progress }: {
    readonly queue: CareSite;
    readonly spool: CareSite;
    readonly progress: (messages: number) => void;
  },
): Promise<ContentsCheck> {
  let messages = 0;
  let octets = 0;
  const bad: Unreadable[] = [];
  for (let after: number | null = -1; after !== null;) {
    const page = keyedPage.parse(
      await askQueue(queue, "keyed", String(after)),
    );
    const places = new Map(page.rows.map((row) => [row.id, row.ref]));
    const unreadable = (id: string, why: string) => {
      const { segment, offset } = places.get(id)!;
      bad.push({ id, segment, offset, why });
    };
    const keyed = page.rows.filter(({ key }) => key !== null);
    for (const { id, key } of page.rows) {
      if (key === null) unreadable(id, "its key is gone");
    }
    if (keyed.length > 0) {
      const { spoolDir, spentDir } = spool.plan.site;
      const read = contentsRead.parse(
        await askJailed(
          spool,
          "spool",
          ["inspect-spool", "contents", spoolDir, spentDir],
          { input: new TextEncoder().encode(JSON.stringify({ rows: keyed })) },
        ),
      );
      octets += read.octets;
      for (const { id, why } of read.bad) unreadable(id, why);
    }
    messages += page.rows.length;
    progress(messages);
    after = page.last;
  }
  return { messages, octets, bad };
}

/** Those of them that a queue at work still has, where they were. */
export async function stillBad(
  queue: CareSite,
  bad: readonly Unreadable[],
): Promise<Unreadable[]> {
  const still: Unreadable[] = [];
  for (let at = 0; at < bad.length; at += IDS_AT_ONCE) {
    const some = bad.slice(at, at + IDS_AT_ONCE);
    const { ids } = stillThere.parse(
      await askQueue(
        queue,
        "still",
        JSON.stringify(
          some.map(({ id, segment, offset }) => ({ id, segment, offset })),
        ),
      ),
    );
    const there = new Set(ids);
    still.push(...some.filter(({ id }) => there.has(id)));
  }
  return still;
}

/** Asks in the queue's jail, of the directories of this site. */
export function askQueue(
  site: CareSite,
  ...args: readonly string[]
): Promise<unknown> {
  const { queueDir, eventsDir } = site.plan.site;
  return askJailed(site, "queue", [
    ...["inspect", queueDir, eventsDir, "care"],
    ...args,
  ]);
}
