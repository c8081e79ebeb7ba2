/**
 * Forwarders: servers that do the work of asking others. They are asked in
 * their order, with DO for the signatures and CD so that what they would hold
 * back for a broken one comes, too; one that fails or is silent is passed
 * over, and asked last for a while.
 */
import type { Ask, Exchange } from "./exchange_io.ts";
import type { Message, Question } from "./message.ts";
import type { Server, ServerMemory } from "./server_memory.ts";
import type { Source, Sourced } from "./source.ts";
import { faultOf, rcodeText } from "./usable.ts";

/** What forwarding needs. */
export interface ForwardOptions {
  readonly servers: readonly Server[];
  /** Addresses of those whose AD bit is believed. */
  readonly trusted: ReadonlySet<string>;
  readonly exchange: Exchange;
  readonly memory: ServerMemory;
  /** Whole time for one question. */
  readonly withinMs: number;
  /** Told of every answer that is one. */
  readonly onAnswer?: (question: Question, message: Message) => void;
}

/** First wait for one server, when others may be asked after it. */
const FIRST_TRY_MS = 800;
/** Times that the whole list is gone through. */
const ROUNDS = 3;

/** A source over forwarders. */
export function forwarding(options: ForwardOptions): Source {
  return async (question) => {
    const { servers, exchange, memory, trusted, withinMs } = options;
    const untilMs = performance.now() + withinMs;
    let last: Sourced & { kind: "failed" } = NO_ANSWER;
    let bareNo: Sourced | undefined;
    // Who has said that it cannot is not asked again.
    const failed = new Set<Server>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of memory.inOrder(servers, performance.now())) {
        const leftMs = untilMs - performance.now();
        if (leftMs < 1) return bareNo ?? last;
        if (failed.has(server)) continue;
        const isTrusted = trusted.has(server.address);
        const got = await exchange(server, {
          ...styleOf(question, isTrusted),
          withinMs: shareMs({ leftMs, round, servers: servers.length }),
        });
        if (got.kind === "silent") continue;
        failed.add(server);
        if (got.kind === "broken") {
          last = failure("no answer", `${server.address}: ${got.fault}`);
          continue;
        }
        const { message } = got;
        const fault = faultOf(question, message);
        if (fault === undefined) {
          options.onAnswer?.(question, message);
          return { kind: "message", message, isBelieved: isTrusted };
        }
        if (fault.isBareNo) {
          bareNo ??= { kind: "message", message, isBelieved: isTrusted };
        }
        last = failure(
          rcodeText(message.rcode),
          `${server.address} answers: ${fault.why}`,
        );
      }
      if (bareNo !== undefined) return bareNo;
    }
    return last;
  };
}

function styleOf(
  question: Question,
  isTrusted: boolean,
): Omit<Ask, "withinMs"> {
  return {
    question,
    recursionDesired: true,
    checkingDisabled: !isTrusted,
    wantsVerdict: isTrusted,
    dnssecOk: true,
  };
}

/** Short waits first, so that one dead server costs little; then long ones. */
function shareMs(
  { leftMs, round, servers }: {
    leftMs: number;
    round: number;
    servers: number;
  },
): number {
  const isLast = round === ROUNDS - 1;
  const share = isLast
    ? leftMs / Math.max(1, servers)
    : Math.min(FIRST_TRY_MS * 2.5 ** round, leftMs / 2);
  return Math.max(1, Math.min(leftMs, share));
}

const NO_ANSWER: Sourced & { kind: "failed" } = failure(
  "no answer",
  "no name server answered in time",
);

function failure(
  status: string,
  why: string,
): Sourced & { kind: "failed" } {
  return { kind: "failed", status, why };
}
