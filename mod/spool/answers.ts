/** What the spool does when asked: the contract on one side, the engine on the other. */
import type { AskedOf, Handlers } from "../ipc/call.ts";
import { headerBlock, isReturnable } from "./notice.ts";
import { readStart, readWhole } from "./read_io.ts";
import type { Spool } from "./spool.ts";
import { MAX_RETURNED_OCTETS, type spoolContract } from "./spool_ipc.ts";
import type { Stored } from "./store_stream.ts";

/** Builds the handlers of `spool_ipc.ts`. */
export function spoolAnswers(on: {
  spool: Spool;
  /** The spool's directory, for reading. */
  dir: string;
  /** Adds to a counter. */
  count: (name: string, by?: number) => void;
}): Handlers<typeof spoolContract.calls> {
  const { spool, dir, count } = on;

  function verdictOf(stored: Stored) {
    switch (stored.kind) {
      case "stored":
        count("stored");
        count("stored-octets", stored.ref.sizeBytes);
        return { answer: { ref: stored.ref, key: stored.key } };
      case "refused":
        count(`refused-${stored.refusal}`);
        return { refusal: stored.refusal };
    }
  }

  return {
    store(_ask: unknown, asker: string) {
      const stream = spool.store(asker);
      return {
        sink: {
          chunk: (octets) => stream.push(octets),
          end: () => void stream.end(),
          abort: () => stream.abort(),
        },
        verdict: stream.verdict.then(verdictOf),
      };
    },

    drop({ ref }, asker) {
      spool.drop(ref, asker);
      return { answer: {} };
    },

    adopt({ refs, last }, asker) {
      spool.adopt(refs, { last, asker });
      return { answer: {} };
    },

    release({ refs }) {
      spool.release(refs);
      count("released", refs.length);
      return { answer: {} };
    },

    stragglers({ max }) {
      return { answer: { refs: spool.stragglers(max) } };
    },

    async move({ ref }) {
      const moved = await spool.move(ref);
      if (typeof moved === "string") return { refusal: moved };
      count("moved");
      return { answer: { ref: moved } };
    },

    async storeNotice({ head, quote, tail }, asker) {
      const quoted = quote === null ? [] : quotedOf(dir, quote);
      if (quoted === undefined) return { refusal: "unreadable" };
      if (quote?.is8bit === false && quoted.some(hasHighOctet)) {
        return { refusal: "eight-bit" };
      }
      const stream = spool.store(asker);
      stream.push(encoder.encode(head));
      for (const octets of quoted) stream.push(octets);
      stream.push(encoder.encode(tail));
      stream.end();
      return verdictOf(await stream.verdict);
    },
  };
}

type Quote = NonNullable<
  AskedOf<typeof spoolContract.calls.storeNotice>["quote"]
>;

/** What a notice quotes of a message; undefined if it cannot be read. */
function quotedOf(
  dir: string,
  { ref, key, isWhole }: Quote,
): readonly Uint8Array[] | undefined {
  if (isWhole) {
    if (ref.sizeBytes > MAX_RETURNED_OCTETS) return undefined;
    const whole = readWhole(dir, ref, key);
    return whole !== undefined && isReturnable(whole) ? whole : undefined;
  }
  const start = readStart(dir, ref, key);
  return start && [headerBlock(start)];
}

function hasHighOctet(octets: Uint8Array): boolean {
  return octets.some((octet) => octet > 127);
}

const encoder = new TextEncoder();
