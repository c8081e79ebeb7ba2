/**
 * An edge of the process graph within one process: what `mod/ipc/edge.ts` and
 * `plug.ts` do over a socket, but so that a test can end either side between
 * any two steps.
 */
import { CHANNEL_LOST } from "../../../mod/ipc/asking_end.ts";
import type { Call } from "../../../mod/ipc/call.ts";

/** Any reply; the contract's types are the caller's. */
export type AnyReply =
  | { readonly kind: "answered"; readonly answer: unknown }
  | { readonly kind: "refused"; readonly refusal: string }
  | { readonly kind: "failed"; readonly why: string };

/** Answers one ask. */
export type Answerer = (name: string, ask: unknown) => Promise<unknown>;

interface Plugged {
  readonly answer: Answerer;
  readonly lost: PromiseWithResolvers<"lost">;
  isLost: boolean;
}

/** What a dead asker goes on asking for ever must not keep it busy. */
const REPEATED_FOR_EVER = new Set(["adopt", "release", "overwrite"]);

/** One asker's edge to one answering role. */
export class Channel {
  readonly #calls: Readonly<Record<string, Call>>;
  readonly #at: (step: string) => void;
  #plugged: Plugged | undefined;
  #arrivals: (() => void)[] = [];
  #isCut = false;

  constructor(
    calls: Readonly<Record<string, Call>>,
    at: (step: string) => void,
  ) {
    this.#calls = calls;
    this.#at = at;
  }

  /** An answerer is there. */
  plug(answer: Answerer): void {
    const lost = Promise.withResolvers<"lost">();
    this.#plugged = { answer, lost, isLost: false };
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    for (const arrived of arrivals) arrived();
  }

  /** The answerer died. */
  lose(): void {
    if (this.#plugged === undefined) return;
    this.#plugged.isLost = true;
    this.#plugged.lost.resolve("lost");
    this.#plugged = undefined;
  }

  /** The asker died: what it asked is done all the same, and not heard of. */
  cut(): void {
    this.#isCut = true;
  }

  /** As `Edge.ask`. */
  async ask(name: string, ask: unknown): Promise<AnyReply> {
    while (!this.#isCut) {
      if (this.#plugged === undefined) {
        await new Promise<void>((resolve) => this.#arrivals.push(resolve));
        continue;
      }
      const reply = await this.#put(this.#plugged, name, structuredClone(ask));
      if (this.#isCut) break;
      if (reply !== "lost") return reply;
      if (!this.#calls[name]!.repeatable) {
        return { kind: "failed", why: CHANNEL_LOST };
      }
    }
    if (REPEATED_FOR_EVER.has(name)) await new Promise(() => {});
    return { kind: "failed", why: "the asker is dead" };
  }

  async #put(
    plugged: Plugged,
    name: string,
    ask: unknown,
  ): Promise<AnyReply | "lost"> {
    if (!this.#isCut) this.#at(`${name} asked`);
    if (plugged.isLost) return "lost";
    const verdict = await Promise.race([
      plugged.answer(name, ask),
      plugged.lost.promise,
    ]) as "lost" | { answer: unknown } | { refusal: string };
    if (verdict === "lost") return "lost";
    if (!this.#isCut) this.#at(`${name} done`);
    if (plugged.isLost) return "lost";
    if (!this.#isCut) this.#at(`${name} answered`);
    return "refusal" in verdict
      ? { kind: "refused", refusal: verdict.refusal }
      : { kind: "answered", answer: verdict.answer };
  }
}
