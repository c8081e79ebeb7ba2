/**
 * One message on its way in: sealed as it comes, held in memory while it is
 * small, in a file of its own once it is large.
 */
import { joinOctets } from "../core/octets.ts";
import { Sealer } from "../content/seal.ts";
import type { ContentRef } from "../core/shapes.ts";
import { BigMessage } from "./big_message.ts";
import type { Fault } from "./disk.ts";

/** What the spool answers to a `store`. */
export type Stored =
  | {
    readonly kind: "stored";
    readonly ref: ContentRef;
    readonly key: string;
  }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** See `spool_ipc.ts`. */
export type Refusal = "full" | "unhealthy";

/** A complete, sealed message. */
export type Sealed =
  | { readonly in: "memory"; readonly record: Uint8Array }
  | { readonly in: "file"; readonly big: BigMessage };

/** What a stream needs of the spool. */
export interface StoreHost {
  /** Why nothing can be stored now, if so. */
  refusal(): Refusal | undefined;
  /** Largest message that stays in memory, in octets. */
  readonly smallOctets: number;
  /** Accounts for sealed octets that all streams hold in memory. */
  held(octets: number): void;
  /** True if all streams together hold as much as they may. */
  readonly isCrowded: boolean;
  createBig(): ReturnType<typeof BigMessage.create>;
  /** Writes it to its place, where it is live from then on. */
  place(sealed: Sealed, about: About): Promise<ContentRef | Refusal>;
  /** True when the record survives a crash, false if its sync failed. */
  durable(ref: ContentRef): Promise<boolean>;
  /** Frees a record again. */
  release(refs: readonly ContentRef[]): void;
  /** What a fault means to the asker, and to the spool's health. */
  refusalOf(fault: Fault, doing: string): Refusal;
  /** The stream is over, however it ended. */
  over(stream: StoreStream): void;
}

/** What the accounting must know of a record. */
export interface About {
  readonly length: number;
  readonly sizeBytes: number;
  /** Who may drop it; undefined for a copy, which nobody may. */
  readonly asker: string | undefined;
}

/** One `store` under way. */
export class StoreStream {
  readonly #host: StoreHost;
  readonly asker: string;
  readonly #sealer: Sealer;
  readonly #verdict = Promise.withResolvers<Stored>();
  #pieces: Uint8Array[] = [];
  #held = 0;
  #big: BigMessage | undefined;
  #refusal: Refusal | undefined;
  #state: "open" | "ended" | "over" = "open";

  constructor(host: StoreHost, asker: string) {
    this.#host = host;
    this.asker = asker;
    this.#sealer = new Sealer((piece) => this.#put(piece));
    const refusal = host.refusal();
    if (refusal !== undefined) this.#refuse(refusal);
  }

  /** Settles when the message is stored, or as soon as it is refused. */
  get verdict(): Promise<Stored> {
    return this.#verdict.promise;
  }

  /** Takes the next octets. */
  push(octets: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#sealer.push(octets);
    if (this.#refusal === undefined) this.#mind();
    if (this.#refusal !== undefined) this.#refuse(this.#refusal);
  }

  /** The message is complete. */
  async end(): Promise<void> {
    if (this.#state !== "open") return;
    this.#sealer.finish();
    this.#refusal ??= this.#host.refusal();
    if (this.#refusal !== undefined) return this.#refuse(this.#refusal);
    this.#state = "ended";
    const { sizeBytes, length } = this.#sealer;
    const about = { sizeBytes, length, asker: this.asker };
    const ref = await this.#host.place(this.#take(), about);
    if (typeof ref === "string") return this.#refuse(ref);
    const isDurable = await this.#host.durable(ref);
    // It gave up while we waited: nobody will ever name the record.
    if (this.#isOver()) return this.#host.release([ref]);
    if (!isDurable) {
      this.#host.release([ref]);
      return this.#refuse("unhealthy");
    }
    this.#over({ kind: "stored", ref, key: this.#sealer.takeKey() });
  }

  /** The asker gave up or is gone: nothing is kept. */
  abort(): void {
    if (this.#state !== "over") this.#refuse("unhealthy");
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  #put(piece: Uint8Array): void {
    if (this.#refusal !== undefined) return;
    if (this.#big === undefined) {
      this.#pieces.push(piece);
      this.#held += piece.length;
      this.#host.held(piece.length);
      return;
    }
    this.#fault(this.#big.append(piece));
  }

  /** Moves out of memory what is too large for it. */
  #mind(): void {
    if (this.#big !== undefined) return;
    const isSmall = this.#sealer.sizeBytes <= this.#host.smallOctets;
    // Crowded, the sealed part moves out too; there is none below 64 KiB.
    if (isSmall && !(this.#held > 0 && this.#host.isCrowded)) return;
    const created = this.#host.createBig();
    if (!created.ok) return this.#fault(created.fault);
    this.#big = created.value;
    for (const piece of this.#pieces) this.#fault(this.#big.append(piece));
    this.#letGo();
  }

  #fault(fault: Fault | undefined): void {
    if (fault === undefined) return;
    this.#refusal ??= this.#host.refusalOf(fault, "write to a large message");
  }

  #take(): Sealed {
    if (this.#big !== undefined) return { in: "file", big: this.#big };
    const record = joinOctets(this.#pieces);
    this.#pieces = [];
    return { in: "memory", record };
  }

  #letGo(): void {
    this.#pieces = [];
    this.#host.held(-this.#held);
    this.#held = 0;
  }

  #refuse(refusal: Refusal): void {
    this.#sealer.forget();
    // Once ended, the file belongs to whoever finds it a place.
    if (this.#state === "open") this.#big?.discard();
    this.#over({ kind: "refused", refusal });
  }

  #over(stored: Stored): void {
    this.#state = "over";
    this.#letGo();
    this.#verdict.resolve(stored);
    this.#host.over(this);
  }
}
