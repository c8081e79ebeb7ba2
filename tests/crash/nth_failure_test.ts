/**
 * SQLite's method, from outside: the first, the second, the n-th call to the
 * disk fails, in spool, queue and maildir, while messages are taken, delivered
 * and forgotten. Whatever the reply was, it must have been true.
 *
 * In full size every call fails with every error, one kind at a time, until n
 * is beyond the last of them.
 */
import assert from "node:assert/strict";
import {
  delay,
  type Installation,
  type LogEvent,
  until,
} from "../system/server_fixture.ts";
import {
  childrenOf,
  drained,
  isAlive,
  LogTail,
  RECIPIENTS,
  scene,
} from "./crash_fixture.ts";
import { roleOf } from "./killer.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { sendOnce } from "./load.ts";
import { IS_FULL, report } from "./proof.ts";
import { CAN_INJECT, type Fault, Injection } from "./strace_fixture.ts";

/** Messages that one `n` may take until a call failed: threads count alone. */
const MAX_MESSAGES = IS_FULL ? 6 : 15;
const WITHIN_MS = IS_FULL ? 1_200_000 : 60_000;
const WELL_WITHIN_MS = 15_000;
/** What was under way when the disk was found bad is answered within this. */
const CLOSE_MS = 50;
/** So that a few messages fill one, and it is renewed. */
const SMALL_SEGMENTS = '[spool]\nsegment_size = "128KiB"\n';
/** Of roles, before the server is started anew. */
const MAX_DEATHS = 2;
/** For delivery, key destruction and release of what was accepted. */
const END_MS = IS_FULL ? 400 : 0;
/** So many `n` in a row without a failure: there is no such call any more. */
const BEYOND = 3;

interface Series {
  readonly fault: Omit<Fault, "when" | "files">;
  readonly upToN: number;
  /**
   * Every file and socket, those too that the role makes meanwhile; else the
   * role's directory and what is in it at the time.
   */
  readonly isAnywhere?: boolean;
}

interface Lane {
  readonly role: "spool" | "queue" | "maildir";
  readonly series: readonly Series[];
}

/** One server each, and one role of it, because the first fault hides others. */
const SMALL: readonly Lane[] = [
  {
    role: "spool",
    series: [
      { fault: { calls: "fdatasync,fsync", error: "EIO" }, upToN: 8 },
      { fault: { calls: "pwrite64,write", error: "EIO" }, upToN: 8 },
      { fault: { calls: "pwrite64,write", error: "ENOSPC" }, upToN: 8 },
    ],
  },
  {
    role: "queue",
    series: [
      { fault: { calls: "fdatasync,fsync", error: "EIO" }, upToN: 40 },
    ],
  },
  {
    role: "queue",
    series: [
      { fault: { calls: "pwrite64,write", error: "EIO" }, upToN: 40 },
      { fault: { calls: "pwrite64,write", error: "ENOSPC" }, upToN: 10 },
    ],
  },
  {
    role: "maildir",
    series: [
      {
        fault: { calls: "fdatasync,fsync", error: "EIO" },
        upToN: 6,
        isAnywhere: true,
      },
      {
        fault: { calls: "openat", error: "ENOSPC" },
        upToN: 6,
        isAnywhere: true,
      },
      {
        fault: { calls: "rename,unlink,unlinkat", error: "EIO" },
        upToN: 4,
        isAnywhere: true,
      },
    ],
  },
];

const ALL_CALLS = [
  "openat",
  "write",
  "pwrite64",
  "fsync",
  "fdatasync",
  "rename,renameat,renameat2",
  "unlink,unlinkat",
  "ftruncate",
];
const MAX_N = 400;

const FULL: readonly Lane[] = (["spool", "queue", "maildir"] as const).map(
  (role) => ({
    role,
    series: (["EIO", "ENOSPC"] as const).flatMap((error) =>
      ALL_CALLS.map((calls) => ({
        fault: { calls, error },
        upToN: MAX_N,
        // Mailboxes get new files all the time. Elsewhere a write(2) that
        // fails on a socket or on the log says nothing about the disk.
        isAnywhere: role === "maildir" || calls !== "write",
      }))
    ),
  }),
);

async function lane({ role, series }: Lane, endMs: number): Promise<void> {
  await using stage = await scene(SMALL_SEGMENTS);
  const { made } = stage;
  let tail = new LogTail(made);
  const events: LogEvent[] = [];
  const ledger = new Ledger();
  let turn = 0;
  const send = async () => {
    const attempt = ledger.begin(ledger.newMessage(), {
      to: RECIPIENTS[turn % RECIPIENTS.length]!,
      // One in five is large enough for a file of its own in the spool.
      size: turn++ % 5 === 4 ? 300_000 : 1_000 + 997 * (turn % 50),
    });
    await sendOnce(made.smtpPort, attempt);
    return attempt.fate;
  };
  let noes = 0;

  /** What is true on disk, and not only in memory, survives this. */
  const restart = async () => {
    Deno.kill(made.pid, "SIGKILL");
    events.push(...tail.read());
    tail[Symbol.dispose]();
    await made.stop();
    await made.start();
    tail = new LogTail(made);
  };

  /** Lets the n-th call fail; true if there was one. */
  const fail = async ({ fault, isAnywhere }: Series, n: number) => {
    const injection = await into(made, role, {
      ...fault,
      when: String(n),
      ...(isAnywhere ? {} : { files: filesOf(dirOf(made.home, role)) }),
    });
    for (let i = 0; i < MAX_MESSAGES && injection.count === 0; i++) {
      if (await send() !== "accepted") noes++;
    }
    await delay(END_MS);
    const count = await injection.end();
    const late = performance.now() + WELL_WITHIN_MS;
    // A role that ends itself over and over waits longer each time.
    const died = tail.read().filter(({ event }) => event === "role-died");
    if (died.length > MAX_DEATHS) await restart();
    while (await send() !== "accepted") {
      assert.ok(performance.now() < late, `${role}, ${n}: no mail any more`);
      await delay(100);
    }
    return count > 0;
  };

  const did: string[] = [];
  let allHits = 0;
  for (const one of series) {
    const { calls, error } = one.fault;
    let hits = 0;
    let n = 0;
    let missed = 0;
    while (n < one.upToN && missed < BEYOND && performance.now() < endMs) {
      if (await fail(one, ++n)) {
        hits++;
        missed = 0;
      } else missed++;
    }
    did.push(`${hits} of ${n} ${calls} ${error}`);
    allHits += hits;
    if (IS_FULL) {
      assert.ok(performance.now() < endMs, `${role}: ${did}: out of time`);
    } else assert.ok(hits > 0, `${role}: no ${calls} was made to fail`);
  }
  await restart();
  tail[Symbol.dispose]();
  const deaths = events.filter(({ event }) => event === "role-died").length;
  const verdict = await drained(stage, ledger);
  report(
    `${role}: failed ${did.join(", ")}; ${noes} messages were not taken, ` +
      `${deaths} roles died; ${told(events)}; ${sentence(verdict)}`,
  );
  assert.ok(allHits > 0, `${role}: no call was made to fail`);
  if (role === "spool") assertDistrusted(events);
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], `${role}: 4xx and delivered`);
  await made.stopCleanly();
}

Deno.test({
  name: "whichever write or sync fails, the reply was true",
  ignore: !CAN_INJECT,
  fn: async () => {
    const endMs = performance.now() + WITHIN_MS;
    const ends = await Promise.allSettled(
      (IS_FULL ? FULL : SMALL).map((one) => lane(one, endMs)),
    );
    const why = ends.flatMap((end) =>
      end.status === "rejected" ? [end.reason] : []
    );
    if (why.length > 0) throw new AggregateError(why, why.join("\n\n"));
  },
});

/**
 * A failed sync is not asked again: the spool distrusts its disk, accepts
 * nothing, and is well when it could write a fresh file.
 */
function assertDistrusted(events: readonly LogEvent[]): void {
  const spells = events.flatMap(({ event, at }, i) => {
    if (event !== "spool-unhealthy") return [];
    // A spool that dies meanwhile begins anew, with fresh segments.
    const end = events.slice(i).find((later) =>
      later.event === "spool-healthy" || later.event === "spool-swept"
    );
    assert.ok(end, "the spool is never well again");
    return [{ fromMs: Date.parse(at), untilMs: Date.parse(end.at) }];
  });
  assert.ok(spells.length > 0, "a failed sync made nobody distrust the disk");
  const accepted = events.filter(({ event }) => event === "message-accepted");
  for (const { fromMs, untilMs } of spells) {
    const meanwhile = accepted.filter(({ at }) =>
      Date.parse(at) > fromMs + CLOSE_MS && Date.parse(at) < untilMs
    );
    assert.deepEqual(meanwhile, [], "accepted by a spool that is not well");
  }
}

function told(events: readonly LogEvent[]): string {
  const of = (name: string) =>
    events.filter(({ event }) => event === name).length;
  return `spool unhealthy ${of("spool-unhealthy")} and healthy ` +
    `${of("spool-healthy")} times, queue faults ${of("queue-fault")}, ` +
    `deliveries failed ${of("delivery-failed")}`;
}

/** Attaches to the role; if it dies just then, to its successor. */
async function into(
  made: Installation,
  role: string,
  fault: Fault,
): Promise<Injection> {
  for (let tries = 0;; tries++) {
    const pid = await until(
      `${role} runs`,
      () => childrenOf(made.pid).find((pid) => roleOf(pid) === role),
    );
    try {
      return await Injection.into(pid, fault);
    } catch (error) {
      if (isAlive(pid) || tries === MAX_DEATHS) throw error;
    }
  }
}

function dirOf(home: string, role: string): string {
  return `${home}/${role === "spool" ? "spool/segments" : role}`;
}

/** The directory and its files: the role's log and sockets are not meant. */
function filesOf(dir: string): string[] {
  return [dir].concat(
    [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile)
      .map(({ name }) => `${dir}/${name}`),
  );
}
