/**
 * TLS reports, RFC 8460: counts what deliveries said of TLS, and tells each
 * domain that wants to know, once a day, by mail.
 *
 * What is counted is written every few seconds and lost with the process
 * before: these are statistics. A report is sent once or, if the process dies
 * in the wrong instant, not at all; never twice.
 */
import { createHash, randomBytes } from "node:crypto";
import { newQueueId } from "../core/ids.ts";
import { log } from "../core/log.ts";
import type { Reply } from "../ipc/call.ts";
import type { dnsContract } from "../dns/dns_ipc.ts";
import type { TlsResult } from "../smtpc/smtpc_ipc.ts";
import type { EventLog } from "./event_log.ts";
import type { OwnMail } from "./own_mail.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportMail } from "./tls_report.ts";
import { readWish } from "./tls_report_record.ts";
import type { Addition, TallyKey, TlsRows } from "./tls_rows_io.ts";
import { addResult, type DayTally, sessionsOf } from "./tls_tally.ts";

/** Asks the DNS role for the text records at a name. */
export type Texts = (
  name: string,
) => Promise<Reply<typeof dnsContract.calls.texts>>;

const FLUSH_MS = 5_000;
/** Domains that wait to be written; beyond it they are written at once. */
const MOST_WAITING = 1_000;
const STOP_WITHIN_MS = 500;
/** Reports in one go; the next go is soon. */
const AT_ONCE = 20;
/**
 * RFC 8460 §4.1: after midnight, within four hours, at random; here a sixth
 * of the period, and by the domain's name, so that a restart changes nothing.
 */
const SPREAD = 1 / 6;
/** A name that cannot be looked up is tried again after this much of it. */
const AGAIN = 1 / 24;
/** Periods after which nobody is told any more. */
const GIVE_UP = 3;

/** See the file's head. */
export class TlsReporter {
  readonly #history: Pick<EventLog, "tls">;
  readonly #texts: Texts;
  readonly #mail: Pick<OwnMail, "sendTlsReport">;
  readonly #around: Surroundings;
  #waiting = new Map<string, Addition>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #round: Promise<void> | undefined;
  #isStopped = false;
  /** What was counted before reports were switched off is gone. */
  #isCleared = false;

  constructor(options: {
    history: Pick<EventLog, "tls">;
    texts: Texts;
    mail: Pick<OwnMail, "sendTlsReport">;
    around: Surroundings;
  }) {
    this.#history = options.history;
    this.#texts = options.texts;
    this.#mail = options.mail;
    this.#around = options.around;
  }

  /** Begins to send what is due. */
  start(): void {
    if (this.#around.part().tlsReports !== null) {
      this.#rows((rows) => rows.removeMarked());
    }
    const everyMs = this.#around.part().tlsReports?.everyMs ?? Infinity;
    this.#timer = setInterval(
      () => void this.tick(),
      Math.min(FLUSH_MS, Math.max(50, everyMs / 10)),
    );
  }

  /** Writes what is counted, and ends. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    // A question to the DNS may take longer than there is; its answer finds
    // that all is over.
    await Promise.race([
      this.#round,
      new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS)),
    ]);
    this.flush();
  }

  /** Counts what one delivery said; returns at once. */
  add(results: readonly TlsResult[]): void {
    const { tlsReports } = this.#around.part();
    if (tlsReports === null || results.length === 0) return;
    const { everyMs } = tlsReports;
    const day = Math.floor(this.#around.nowMs() / everyMs);
    for (const one of results) {
      // An address literal has no records.
      if (one.domain.includes("[") || one.domain.includes(":")) continue;
      const key = `${day} ${one.domain}`;
      let found = this.#waiting.get(key);
      if (found === undefined) {
        const dueMs = (day + 1) * everyMs + this.#spread(one.domain, everyMs);
        found = { day, domain: one.domain, dueMs, tally: [] };
        this.#waiting.set(key, found);
      }
      addResult(found.tally, one);
      this.#around.count(one.result === "" ? "tls-results" : "tls-failures");
    }
    if (this.#waiting.size > MOST_WAITING) this.flush();
  }

  /** Writes what is counted; what cannot be written is dropped. */
  flush(): void {
    const additions = [...this.#waiting.values()];
    if (additions.length === 0) return;
    this.#waiting = new Map();
    const dropped = this.#rows((rows) => rows.add(additions)) ??
      additions.reduce((sum, { tally }) => sum + countOf(tally), 0);
    if (dropped > 0) this.#around.count("tls-results-dropped", dropped);
  }

  /** Writes what is counted, and sends what is due; one round at a time. */
  tick(): Promise<void> {
    this.flush();
    this.#round ??= this.#send().finally(() => this.#round = undefined);
    return this.#round;
  }

  async #send(): Promise<void> {
    if (this.#around.part().tlsReports === null) {
      // Once, and not at the start: the disk has other things to do then.
      if (this.#isCleared) return;
      this.#isCleared = this.#rows((rows) => {
        rows.clear();
        return true;
      }) ?? false;
      return;
    }
    this.#isCleared = false;
    for (let n = 0; n < AT_ONCE && !this.#isStopped; n++) {
      const { tlsReports } = this.#around.part();
      if (tlsReports === null) return;
      const next = this.#rows((rows) => rows.due(this.#around.nowMs()));
      if (next === undefined) return;
      const { everyMs } = tlsReports;
      const outcome = await this.#report(next, tlsReports);
      const isOld = this.#around.nowMs() > (next.day + 1 + GIVE_UP) * everyMs;
      if (outcome !== "later") this.#rows((rows) => rows.remove(next));
      else if (isOld) {
        this.#around.count("tls-reports-given-up");
        log("tls-report-not-sent", { domain: next.domain, why: "too old" });
        this.#rows((rows) => rows.remove(next));
      } else {
        const againMs = this.#around.nowMs() + everyMs * AGAIN;
        this.#rows((rows) => rows.postpone(next, againMs));
      }
    }
  }

  async #report(
    next: TallyKey & { tally: DayTally },
    { from, everyMs }: { from: string; everyMs: number },
  ): Promise<"done" | "later"> {
    const { day, domain, tally } = next;
    const reply = await this.#texts(`_smtp._tls.${domain}`);
    if (this.#isStopped) return "later";
    if (reply.kind === "refused" && reply.refusal === "none") return "done";
    if (reply.kind !== "answered") return "later";
    const wish = readWish(reply.answer.texts);
    if (wish.kind === "none") return "done";
    if (wish.mailto.length === 0) {
      this.#around.count("tls-reports-not-by-mail");
      log("tls-report-not-sent", { domain, why: "wanted, but not by mail" });
      return "done";
    }
    if (countOf(tally) === 0) return "done";
    const id = newQueueId(this.#around.wallMs());
    const { hostname } = this.#around.part();
    const mail = reportMail({
      hostname,
      from,
      domain,
      to: wish.mailto,
      fromMs: day * everyMs,
      untilMs: (day + 1) * everyMs,
      nowMs: this.#around.wallMs(),
      tally,
      id,
      boundary: randomBytes(16).toString("hex"),
    });
    const isSent = await this.#mail.sendTlsReport(
      { id, to: wish.mailto, ...mail },
      {
        text: `TLS report for ${domain}`,
        ready: () =>
          !this.#isStopped && (this.#rows((rows) => {
            rows.mark(next, id);
            return true;
          }) ?? false),
      },
    );
    if (!isSent) return "later";
    const { good, bad } = sessionsOf(tally);
    this.#around.count("tls-reports-sent");
    log("tls-report-sent", { id, domain, to: [...wish.mailto], good, bad });
    return "done";
  }

  #rows<T>(work: (rows: TlsRows) => T): T | undefined {
    return this.#history.tls(work);
  }

  #spread(domain: string, everyMs: number): number {
    const { hostname } = this.#around.part();
    const hash = createHash("sha256").update(`${hostname} ${domain}`).digest();
    return hash.readUInt32BE(0) / 2 ** 32 * everyMs * SPREAD;
  }
}

function countOf(tally: DayTally): number {
  const { good, bad } = sessionsOf(tally);
  return good + bad;
}
