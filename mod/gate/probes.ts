/**
 * Whether the next hop takes mail for an address, asked there and remembered:
 * a yes for long, a no for less, anything else for a minute. Only the next
 * hop's own 5yz is a no; what could not be asked is put off, never refused.
 *
 * Pure: the asking and the clock are parameters. Addresses are remembered as
 * hashes.
 */
import type { GatePart } from "./role.ts";
import { Shelf } from "./shelf.ts";

/** Settings of the asking. */
export type VerifyPart = NonNullable<GatePart["verify"]>;

/** What the next hop said; `unknown` says nothing of the address. */
export type Probed =
  | { readonly is: "yes" }
  | { readonly is: "no"; readonly words: string }
  | { readonly is: "unknown"; readonly words: string };

/** Most addresses remembered, and asked about at once. */
const MAX_PROBED = 100_000;
const MAX_AT_ONCE = 50;
const UNKNOWN_MS = 60_000;

const BUSY: Probed = { is: "unknown", words: "too many are being asked about" };
const LATE: Probed = { is: "unknown", words: "no answer yet" };

/** The memory of it, and what is under way. */
export class Probes {
  readonly known = new Shelf<Probed>(MAX_PROBED);
  readonly #underWay = new Map<string, Promise<Probed>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * What is known of an address, or what the next hop says within `waitMs`.
   * An answer that is later than that is remembered for the next time.
   *
   * @param key Hash of the address
   * @param ask Must settle, and not throw
   */
  async of(
    key: string,
    part: VerifyPart,
    options: { ask: () => Promise<Probed>; waitMs: number },
  ): Promise<Probed> {
    const known = this.known.get(key, this.#nowMs());
    if (known !== undefined) return known;
    let asking = this.#underWay.get(key);
    if (asking === undefined) {
      if (this.#underWay.size >= MAX_AT_ONCE) return BUSY;
      asking = options.ask().then((probed) => this.#learn(key, part, probed));
      this.#underWay.set(key, asking);
    }
    const late = Promise.withResolvers<Probed>();
    const timer = setTimeout(() => late.resolve(LATE), options.waitMs);
    const probed = await Promise.race([asking, late.promise]);
    clearTimeout(timer);
    return probed;
  }

  #learn(key: string, part: VerifyPart, probed: Probed): Probed {
    this.#underWay.delete(key);
    const forMs = probed.is === "yes"
      ? part.positiveMs
      : probed.is === "no"
      ? part.negativeMs
      : UNKNOWN_MS;
    this.known.set(key, probed, this.#nowMs() + forMs);
    return probed;
  }
}
