/**
 * A recovery without processes: opens queue and spool of a home as their
 * roles would, between scripted edges, and lets the queue deliver everything
 * it holds into files, which the test then compares with what was sent.
 */
import { Buffer } from "node:buffer";
import { ownOutcome } from "../../mod/core/outcome.ts";
import type { ContentRef } from "../../mod/core/shapes.ts";
import { DamagedError, readContent } from "../../mod/content/reader.ts";
import {
  askReadOnly,
  databasePath,
  SCHEMA_VERSION,
} from "../../mod/queue/database_io.ts";
import { checkQueue, listQueue } from "../../mod/queue/inspect.ts";
import { KeyFile } from "../../mod/queue/keys_io.ts";
import { newAsk, partFor } from "../../mod/queue/laboratory.ts";
import { MESSAGE_STATES } from "../../mod/queue/message.ts";
import { type Edges, Queue } from "../../mod/queue/queue.ts";
import { SteadyClock } from "../../mod/queue/schedule.ts";
import type { Attempt } from "../../mod/smtpc/smtpc_ipc.ts";
import { spoolAnswers } from "../../mod/spool/answers.ts";
import { DenoDisk } from "../../mod/spool/disk_io.ts";
import { Spool } from "../../mod/spool/spool.ts";
import { overwrite } from "../../mod/shred/overwrite.ts";

/** In place of a time, where it never came to that. JSON knows no infinity. */
export const NEVER_MS = 999_999;
/** Most time until mail is accepted again, and until the queue is empty. */
const WITHIN_MS = 5_000;
/**
 * The queue waits 2 s for askers to repeat themselves before it judges what
 * it finds incoming. Here nobody will, so its clock runs faster.
 */
const CLOCK_SPEED = 20;

/** What to recover. */
export interface Task {
  /** The installation. */
  readonly home: string;
  /** Directory for what is delivered: `N` is the content, `N.to` for whom. */
  readonly taken: string;
  readonly segmentBytes: number;
}

/** How it went. */
export interface Recovered {
  /** What is not as promised; none is the aim. */
  readonly faults: readonly string[];
  /** Until a new message was accepted, and until all was delivered. */
  readonly acceptingMs: number;
  readonly drainedMs: number;
  /** Messages by their state in the database, as the crash left it. */
  readonly states: Readonly<Record<string, number>>;
}

/** Recovers, and says what was wrong. */
export async function recover(task: Task): Promise<Recovered> {
  const queueDir = `${task.home}/queue`;
  const found = examine(task);
  const began = performance.now();
  const spool = openSpool(task);
  const queue = openQueue(task, spool);
  const faults = [...found.faults];
  let acceptingMs = NEVER_MS;
  let drainedMs = NEVER_MS;
  try {
    await acceptOne(queue, spool);
    acceptingMs = performance.now() - began;
    while (listQueue(queueDir).length > 0) {
      if (performance.now() - began > WITHIN_MS) {
        const left = listQueue(queueDir).map(({ id, state, recipients }) =>
          `${id} ${state} ${recipients.map(({ lastOutcome }) => lastOutcome)}`
        );
        throw new Error(`after ${WITHIN_MS} ms still queued: ${left}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    drainedMs = performance.now() - began;
  } catch (error) {
    faults.push(String(error));
  } finally {
    await queue.stop();
    await spool.close();
  }
  faults.push(...attempt(() => void checkQueue(dirsOf(task))));
  return { faults, acceptingMs, drainedMs, states: found.states };
}

/** Looks at the database and at every record before anything is mended. */
function examine(task: Task): Pick<Recovered, "faults" | "states"> {
  const { home } = task;
  const queueDir = `${home}/queue`;
  const faults = attempt(() => void checkQueue(dirsOf(task)));
  const states: Record<string, number> = {};
  if (faults.length > 0) return { faults, states };
  const rows = askReadOnly(
    databasePath(queueDir),
    SCHEMA_VERSION,
    (db) => db.prepare("SELECT * FROM messages").all(),
  );
  const keys = new KeyFile(`${queueDir}/keys`);
  for (const row of rows) {
    const state = MESSAGE_STATES[Number(row["state"])] ?? "none";
    states[state] = (states[state] ?? 0) + 1;
    // An incoming one may be torn: nobody was told of it. If somebody was,
    // it will be missing among what is delivered.
    if (state === "incoming") continue;
    const id = String(row["id"]);
    const key = keys.read(Number(row["slot"]), id);
    if (state !== "queued") faults.push(`${id} is ${state}`);
    else if (typeof key === "string") faults.push(`${id}: its key is ${key}`);
    else {
      const base64 = Buffer.from(key).toString("base64");
      faults.push(...attempt(() => readWhole(home, refOf(row), base64), id));
    }
  }
  keys.close();
  return { faults, states };
}

function dirsOf({ home }: Task): { queue: string; events: string } {
  return { queue: `${home}/queue`, events: `${home}/events` };
}

function openSpool({ home, segmentBytes }: Task): Spool {
  const spool = new Spool(
    new DenoDisk(`${home}/spool/segments`, `${home}/spool/spent`),
    {
      shred: async ({ segment }) => {
        await overwrite(`${home}/spool/spent/${segment}.seg`);
        return "overwritten";
      },
      segmentBytes,
      readySegments: 1,
      maxBytes: 1_000 * segmentBytes,
      minFreeBytes: 0,
    },
  );
  spool.open();
  return spool;
}

function openQueue(task: Task, spool: Spool): Queue {
  const { queue: dir, events: eventsDir } = dirsOf(task);
  const part = partFor(dir, { eventsDir });
  const queue = new Queue({
    part: () => part,
    edges: edgesOf(task, spool),
    count: () => {},
    clock: new SteadyClock({
      wallMs: () => Date.now() + (CLOCK_SPEED - 1) * performance.now(),
      monotonicMs: () => CLOCK_SPEED * performance.now(),
    }),
  });
  queue.start();
  queue.spoolPlugged();
  return queue;
}

/** What the spool does is done; resolving and delivering is played. */
function edgesOf(task: Task, spool: Spool): Edges {
  const answers = spoolAnswers({
    spool,
    dir: `${task.home}/spool/segments`,
    count: () => {},
  });
  let taken = 0;
  const take = (
    { ref, key }: Content,
    addresses: readonly string[],
  ) => {
    const content = readWhole(task.home, ref, key);
    return addresses.map((address) => {
      // The probe of `acceptOne` is nobody's mail.
      if (address === PROBE) return DELIVERED;
      Deno.writeFileSync(`${task.taken}/${taken}`, content);
      Deno.writeTextFileSync(`${task.taken}/${taken++}.to`, address);
      return DELIVERED;
    });
  };
  const answer = {
    spool: (ask: never, name: keyof typeof answers) =>
      (answers[name] as Answer)(ask, "queue.0"),
    resolve: ({ address }: { address: string }) => ({
      answer: { targets: [targetOf(address)] },
    }),
    maildir: (ask: Content & { recipients: { address: string }[] }) => {
      const to = ask.recipients.map(({ address }) => address);
      return { answer: { outcomes: take(ask, to) } };
    },
    smtpc: (ask: Content & { recipients: string[] }) => {
      const outcomes = take(ask, ask.recipients);
      return { answer: { outcomes, attempt: ATTEMPT } };
    },
  };
  const edges = Object.entries(answer).map(([role, does]) => [role, {
    ask: async (name: never, ask: never) => {
      try {
        return replyOf(await (does as Answer)(ask, name));
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        return replyOf({ refusal: "damaged" });
      }
    },
  }]);
  return Object.fromEntries(edges) as Edges;
}

interface Content {
  readonly ref: ContentRef;
  readonly key: string;
}
type Verdict = { answer: object } | { refusal: string };
type Answer = (ask: never, asker: string) => Verdict | Promise<Verdict>;

const PROBE = "probe@home.test";
const DELIVERED = ownOutcome("delivered", 250, "2.0.0", "taken");
const ATTEMPT: Attempt = {
  host: "next.test",
  address: "127.0.0.1",
  tls: "",
  tookMs: 0,
  isServed: true,
  transcript: [],
  hosts: [],
  tlsResults: [],
};

function replyOf(verdict: Verdict): object {
  return "answer" in verdict
    ? { kind: "answered", answer: verdict.answer }
    : { kind: "refused", refusal: verdict.refusal };
}

function targetOf(address: string): object {
  const [user, domain] = address.split("@");
  if (domain === "home.test") {
    return { kind: "mailbox", mailbox: { user, domain }, address };
  }
  const nextHop = { kind: "host", host: "next.test", port: 25 };
  return { kind: "remote", address, nextHop };
}

/** A new message goes the whole way: that is what "recovered" means. */
async function acceptOne(queue: Queue, spool: Spool): Promise<void> {
  const stream = spool.store("smtpd.0");
  stream.push(new TextEncoder().encode("Subject: probe\r\n\r\nprobe\r\n"));
  await stream.end();
  const stored = await stream.verdict;
  if (stored.kind === "refused") throw new Error(`spool: ${stored.refusal}`);
  const { ref, key } = stored;
  const ask = newAsk([PROBE], { ref, key });
  const verdict = await queue.accept(ask, "smtpd.0");
  if ("refusal" in verdict) throw new Error(`queue: ${verdict.refusal}`);
}

function readWhole(home: string, ref: ContentRef, key: string): Uint8Array {
  return Buffer.concat([...readContent(`${home}/spool/segments`, ref, key)]);
}

function refOf(row: Record<string, unknown>): ContentRef {
  return {
    segment: String(row["segment"]),
    offset: Number(row["offset"]),
    length: Number(row["length"]),
    sizeBytes: Number(row["size"]),
  };
}

/** The error's text, if there is one, as a list to be added to others. */
function attempt(work: () => void, what = ""): string[] {
  try {
    work();
    return [];
  } catch (error) {
    return [`${what} ${error}`.trim()];
  }
}
