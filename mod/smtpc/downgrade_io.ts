/**
 * Content in 7 bits, for a server without 8BITMIME (RFC 6152 §3). Made only
 * when such a server is met: one reading finds out what is to be done, one how
 * long it gets (RFC 1870 §3 wants to know), and one is sent, in constant memory.
 */
import { setImmediate } from "node:timers/promises";
import {
  type Content,
  readFailure,
  type Source,
  type Unreadable,
} from "./content_io.ts";
import { SevenBitRewriter } from "./seven_bit.ts";
import { SevenBitSurvey } from "./seven_bit_plan.ts";
import { Stuffer } from "./stuffing.ts";

/** Chunks read before other sessions get their turn. */
const TURN = 4;

/** Content for one server. */
export interface Fitting {
  readonly kind: "fitting";
  readonly content: Content;
  readonly sizeBytes: number;
  /** Why it is still in 8 bits. */
  readonly noSevenBit?: string;
}

/** The same, or why it cannot be read any more. */
export type SevenBit = Fitting | Unreadable;

/** One message's conversion; done at most once. */
export class Downgrade {
  readonly #source: Source;
  #made: Promise<SevenBit> | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The content in 7 bits; as it is, with the reason, if that cannot be. */
  of(asIs: Fitting): Promise<SevenBit> {
    return this.#made ??= this.#make(asIs);
  }

  async #make(asIs: Fitting): Promise<SevenBit> {
    const source = this.#source;
    const survey = new SevenBitSurvey();
    const failed = await read(source, (chunk) => survey.push(chunk));
    if (failed !== undefined) return failed;
    const noSevenBit = survey.end();
    if (noSevenBit !== undefined) return { ...asIs, noSevenBit };
    const trial = new SevenBitRewriter(survey);
    let sizeBytes = 0;
    const failedAgain = await read(source, (chunk) => {
      sizeBytes += trial.push(chunk).length;
    });
    if (failedAgain !== undefined) return failedAgain;
    sizeBytes += trial.end().length;
    const content: Content = {
      kind: "content",
      eightBit: false,
      internationalHeader: false,
      held: 0,
      wire: () => stream(source, survey),
    };
    return { kind: "fitting", content, sizeBytes };
  }
}

async function read(
  source: Source,
  take: (chunk: Uint8Array) => void,
): Promise<Unreadable | undefined> {
  let turn = 0;
  try {
    for (const chunk of source.open()) {
      take(chunk);
      if (++turn % TURN === 0) await setImmediate();
    }
    return undefined;
  } catch (error) {
    return readFailure(source, error);
  }
}

function* stream(
  source: Source,
  survey: SevenBitSurvey,
): Generator<Uint8Array | Unreadable> {
  const rewriter = new SevenBitRewriter(survey);
  const stuffer = new Stuffer();
  try {
    for (const chunk of source.open()) {
      const wire = stuffer.push(rewriter.push(chunk));
      // It was in 7 bits at the first reading, so it changed under us.
      if (stuffer.fault !== undefined || stuffer.eightBit) {
        return yield { kind: "damaged" };
      }
      if (wire.length > 0) yield wire;
    }
  } catch (error) {
    return yield readFailure(source, error);
  }
  const last = stuffer.push(rewriter.end());
  const end = stuffer.end();
  if (stuffer.fault !== undefined || stuffer.eightBit) {
    return yield { kind: "damaged" };
  }
  if (last.length > 0) yield last;
  yield end;
}
