/**
 * What is pending and what is wrong with erasure, judged from what the jailed
 * inspections found and from what lies under the directories. Pure.
 */
import type { QueueErasure } from "../queue/erasure_ipc.ts";
import { guaranteeOf } from "../shred/file_system.ts";
import type { SpoolErasure } from "../spool/erasure_ipc.ts";
import type { ErasedPlace } from "./erased_places.ts";
import type { ErasingRun } from "./try_erasing.ts";

/** Everything that is known. */
export interface Erasure {
  /** Null: this installation never ran, there is no queue. */
  readonly queue: QueueErasure | null;
  readonly spool: SpoolErasure;
  readonly places: readonly ErasedPlace[];
  readonly guarantee: string;
  readonly forgetWithinMs: number;
}

/** Room for timers and a loaded machine, after which late is late. */
const GRACE_MS = 15_000;

/** One thing that was looked at. */
export interface Finding {
  readonly kind: "good" | "pending" | "wrong";
  readonly what: string;
}

/** The sentence for the whole installation. */
export function guaranteeFor(places: readonly ErasedPlace[]): string {
  const keys = places.find((one) => one.what === "keys");
  const contents = places.find((one) => one.what === "spent") ??
    places.find((one) => one.what === "contents");
  return keys === undefined || contents === undefined
    ? "There is no installation to say anything of."
    : guaranteeOf(keys, contents, keys.mountPoint === contents.mountPoint);
}

/** What is still to be done, for `status` and `verify`. */
export function pendingOf(erasure: Erasure): Finding[] {
  const { queue, spool, forgetWithinMs } = erasure;
  const findings: Finding[] = [];
  const find = (kind: Finding["kind"], what: string) =>
    findings.push({ kind, what });
  if (spool.spentInAll > 0) {
    find(
      "pending",
      `${spool.spentInAll} spent segments of ${spool.spentBytes} octets wait ` +
        `to be overwritten, the oldest for ${seconds(spool.spentForMs)}`,
    );
  } else find("good", "no spent segment waits to be overwritten");
  if (queue === null) {
    find("good", "there is no queue yet, so no key and no address");
    return findings;
  }
  const named = new Set(queue.segments);
  const unnamed = spool.used.filter((one) => !named.has(one)).length;
  if (spool.usedInAll > 0) {
    find(
      "good",
      `segments in use: ${spool.usedInAll}, ${spool.usedBytes} octets ` +
        `(by no waiting message: ${unnamed}); what is delivered out of ` +
        "them stays as ciphertext without a key until they are spent",
    );
  }
  const keys = queue.strayKeys;
  if (keys > 0) {
    find("pending", `${keys} keys of finished messages are to be destroyed`);
  } else find("good", "no key of a finished message is left");
  const { log } = queue;
  if (log.bytes === 0) {
    find("good", "the database's log is empty");
  } else {
    find(
      log.quietMs > forgetWithinMs + GRACE_MS ? "wrong" : "good",
      `the database's log has ${log.bytes} octets, last written ` +
        `${seconds(log.quietMs)} ago (${log.frames} pages in use, ` +
        `${log.oldFrames} of before); it is to be forgotten within ` +
        seconds(forgetWithinMs),
    );
  }
  return findings;
}

/** What must hold, for `verify` alone. */
export function faultsOf(erasure: Erasure): Finding[] {
  const { queue, spool } = erasure;
  const findings = [
    none(spool.notErased, {
      good: `no record begins in any of ${spool.readyRead} ready segments`,
      wrong: "ready segments hold records of old messages",
    }),
    none(spool.sparse, {
      good: "every ready segment is written full",
      wrong: "ready segments have holes: nothing was written there in place",
    }),
  ];
  if (queue === null) return findings;
  findings.push(
    {
      kind: queue.unclearSlots === 0 ? "good" : "wrong",
      what: queue.unclearSlots === 0
        ? `every free key slot of ${queue.keySlots} is all zero`
        : `${queue.unclearSlots} key slots hold octets that are no key: a ` +
          "torn write, or not ours",
    },
    {
      kind: queue.keylessMessages === 0 ? "good" : "wrong",
      what: queue.keylessMessages === 0
        ? `each of ${queue.messages} waiting messages has its key`
        : `${queue.keylessMessages} waiting messages have no key: they ` +
          "cannot be read any more",
    },
    {
      kind: queue.log.isHeaderSound === 1 ? "good" : "wrong",
      what: queue.log.isHeaderSound === 1
        ? "the database's log is what it claims to be"
        : "the database's log does not begin as one",
    },
  );
  findings.push(segmentsFinding(queue, spool));
  return findings;
}

/** Whether the trial in the spool's directory erased what it wrote. */
export function trialFinding(run: ErasingRun): Finding {
  if (!run.ok) {
    return { kind: "wrong", what: `erasing does not work here: ${run.why}` };
  }
  if (run.isSamePlace === false) {
    return {
      kind: "wrong",
      what: "a file that was overwritten here lies in other blocks than " +
        "before: the old octets are still on the device",
    };
  }
  return {
    kind: "good",
    what: "a fresh file was overwritten, synced and read back " +
      (run.readBack === "disk" ? "from the disk" : "(perhaps from memory)") +
      (run.isSamePlace === true
        ? ", in the very blocks where it lay"
        : "; where it lies, nobody says"),
  };
}

function segmentsFinding(queue: QueueErasure, spool: SpoolErasure): Finding {
  const isCut = queue.segmentsInAll > queue.segments.length ||
    spool.usedInAll > spool.used.length ||
    spool.spentInAll > spool.spent.length;
  if (isCut) {
    return {
      kind: "good",
      what: "more than 10,000 segments: whether each is what its messages " +
        "say was not looked at",
    };
  }
  const used = new Set(spool.used);
  return none(queue.segments.filter((one) => !used.has(one)), {
    good: `all ${queue.segments.length} segments that messages lie in are ` +
      "kept as such",
    wrong: "messages lie in segments that are spent, ready or gone",
  });
}

function none(
  names: readonly string[],
  { good, wrong }: { good: string; wrong: string },
): Finding {
  return names.length === 0 ? { kind: "good", what: good } : {
    kind: "wrong",
    what: `${wrong}: ${names.slice(0, 5).join(", ")}` +
      (names.length > 5 ? ` and ${names.length - 5} more` : ""),
  };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
