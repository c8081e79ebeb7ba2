/**
 * One process of `deno task fuzz`: attacks of which it is told the seed, the
 * range and the stride, one JSON line about every block of them.
 */
import { Campaign, settledHeap } from "./campaign.ts";

/** Attacks between two reports. */
export const BLOCK = 5_000;

/** What a worker says of one block. */
export interface BlockReport {
  readonly from: number;
  readonly to: number;
  readonly accepted: number;
  readonly slowestMs: number;
  readonly slowestIndex: number;
  readonly heapBytes: number;
  readonly findings: readonly {
    readonly index: number;
    readonly faults: readonly string[];
  }[];
}

async function main(): Promise<void> {
  const [seed, first, end, stride, untilMs] = Deno.args.map(Number);
  // A block goes to a campaign of its own: its tally is the block's.
  for (let from = first!; from < end!; from += stride! * BLOCK) {
    if (Date.now() >= untilMs!) return;
    const to = Math.min(from + BLOCK, end!);
    console.log(JSON.stringify({ begins: from }));
    using campaign = new Campaign(seed!);
    await campaign.run(from, to);
    const { tally } = campaign;
    const report: BlockReport = {
      from,
      to,
      accepted: tally.accepted,
      slowestMs: tally.slowestMs,
      slowestIndex: tally.slowestIndex,
      heapBytes: await settledHeap(),
      findings: tally.findings.slice(0, 5).map(({ index, faults }) => ({
        index,
        faults,
      })),
    };
    console.log(JSON.stringify(report));
  }
}

if (import.meta.main) await main();
