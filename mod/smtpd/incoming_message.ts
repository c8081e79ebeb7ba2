/**
 * One message on its way from the socket into the spool: read, counted,
 * bounded, and passed on in constant memory, with back-pressure.
 *
 * Its octets go through behind one `Received` field, unchanged but for what
 * `header_repair.ts` does to those of our own users. A fault found
 * on the way gives the store up at once; the rest is read and thrown away, so
 * that the reply comes where the client waits for it.
 */
import { joinOctets } from "../core/octets.ts";
import type { SubjectReader } from "../core/subject_reader.ts";
import type { ContentStream, StoreReply } from "./backend.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { DataReader } from "./data_reader.ts";
import { type Facts, HeaderRepair, isFolding } from "../core/header_repair.ts";
import { HopCounter } from "../core/hop_counter.ts";
import type { MessageEnd } from "./session.ts";

/** Octets that are worth a write to the spool while more are to come. */
const GATHER_OCTETS = 65_536;
/** Each piece may hold a whole buffer of the socket: few wait at a time. */
const GATHER_PIECES = 8;

/** What one message is bound by. */
export interface MessageLimits {
  /** Octets without our `Received` field and without stuffed dots. */
  readonly maxMessageBytes: number;
  /** `Received` fields that it may have. */
  readonly hopLimit: number;
}

/** Why a message is refused by its own fault. */
export type Fault = MessageEnd & { is: "too-large" | "loop" | "spoilt" };

/** A message that was read to its end. */
export type Completed =
  | { readonly is: "refused"; readonly fault: Fault }
  | { readonly is: "stored"; readonly reply: StoreReply };

/** How a message is told from what follows it: DATA, or RFC 3030's BDAT. */
export type Framing = "dot" | "chunks" | "binary-chunks";

/** What a short piece costs beside its octets, in the count of the backlog. */
const PIECE_OCTETS = 128;

/** One message between 354, or its first chunk, and the reply to its end. */
export class IncomingMessage {
  readonly #stream: ContentStream;
  readonly #limits: MessageLimits;
  readonly #onDrain: () => void;
  readonly #reader: DataReader | ChunkReader;
  readonly #hops = new HopCounter();
  readonly #subject: SubjectReader | undefined;
  readonly #repair: HeaderRepair | undefined;
  /** Pieces that the stream has not taken yet. */
  #waiting: Uint8Array[];
  /** What the waiting ones cost, and all that the spool has not taken. */
  #waitingOctets: number;
  #backlog: number;
  #pumping: Promise<void> | undefined;
  #received = 0;
  #size = 0;
  #fault: Fault | undefined;

  constructor(options: {
    stream: ContentStream;
    limits: MessageLimits;
    framing: Framing;
    /** Goes before the message's own octets. */
    head: Uint8Array;
    /** What the header block lacks; undefined if it is not ours to mend. */
    repair?: Facts | undefined;
    /** Reads the Subject in passing. */
    subject?: SubjectReader;
    /** Told when {@link backlog} is 0 again. */
    onDrain: () => void;
  }) {
    this.#stream = options.stream;
    this.#limits = options.limits;
    this.#subject = options.subject;
    this.#onDrain = options.onDrain;
    const take = (piece: Uint8Array) => this.#take(piece);
    this.#reader = options.framing === "dot"
      ? new DataReader(take)
      : new ChunkReader(take, options.framing === "binary-chunks");
    this.#waiting = [options.head];
    this.#waitingOctets = options.head.length;
    this.#backlog = options.head.length;
    this.#repair = options.repair &&
      new HeaderRepair(options.repair, (piece) => this.#keep(piece));
  }

  /** True once CRLF.CRLF, or the last chunk, was read. */
  get ended(): boolean {
    return this.#reader.ended;
  }

  /** True if it goes on far beyond the limit: no use to read to its end. */
  get flooding(): boolean {
    return this.#received > 2 * this.#limits.maxMessageBytes;
  }

  /** Octets read and not yet taken by the spool: stop reading while large. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Octets of the message so far. */
  get sizeBytes(): number {
    return this.#size;
  }

  /** True if every chunk that was begun is complete. */
  get isBetweenChunks(): boolean {
    return this.#chunks().isBetween;
  }

  /** Begins a chunk of RFC 3030. */
  beginChunk(sizeBytes: number, isLast: boolean): void {
    this.#chunks().begin(sizeBytes, isLast);
    this.#notice();
  }

  /**
   * Reads on.
   *
   * @param bytes Must not change afterwards
   * @returns Octets that belong to this message; less than all if it ended
   */
  push(bytes: Uint8Array): number {
    const used = this.#reader.push(bytes);
    this.#received += used;
    this.#notice();
    // What is left at the end leaves with it: a short message wakes the spool
    // once, a long one not for every packet.
    const isEnough = this.#backlog >= GATHER_OCTETS ||
      this.#waiting.length >= GATHER_PIECES;
    if (isEnough && !this.#reader.ended) this.#pumping ??= this.#pump();
    return used;
  }

  /** Completes the store, or says why not. Only after {@link ended}. */
  async complete(): Promise<Completed> {
    if (this.#fault !== undefined) {
      return { is: "refused", fault: this.#fault };
    }
    this.#repair?.end();
    await this.#pumping;
    if (this.#waiting.length > 0) {
      // Not awaited: at most what one read of the socket brought.
      void this.#stream.write(this.#takeWaiting());
    }
    return { is: "stored", reply: await this.#stream.end() };
  }

  /** Gives it up; nothing is kept. */
  abort(): void {
    this.#waiting = [];
    this.#backlog = 0;
    this.#stream.abort();
  }

  #chunks(): ChunkReader {
    if (this.#reader instanceof ChunkReader) return this.#reader;
    throw new TypeError("Cannot read chunks: message came with DATA");
  }

  #notice(): void {
    const why = this.#reader.spoilt;
    if (why !== undefined) this.#fail({ is: "spoilt", why });
  }

  #take(piece: Uint8Array): void {
    if (this.#fault !== undefined) return;
    const isFirst = this.#size === 0;
    this.#size += piece.length;
    this.#hops.push(piece);
    this.#subject?.push(piece);
    if (this.#size > this.#limits.maxMessageBytes) {
      this.#fail({ is: "too-large" });
    } else if (this.#hops.hops > this.#limits.hopLimit) {
      this.#fail({ is: "loop" });
    } else if (this.#repair === undefined) {
      if (isFirst && isFolding(piece[0])) this.#keep(EMPTY_LINE);
      this.#keep(piece);
    } else this.#repair.push(piece);
  }

  #keep(piece: Uint8Array): void {
    this.#waiting.push(piece);
    this.#waitingOctets += piece.length + PIECE_OCTETS;
    this.#backlog += piece.length + PIECE_OCTETS;
  }

  #fail(fault: Fault): void {
    // Broken line ends win: their reply closes the connection.
    if (this.#fault?.is === "spoilt") return;
    if (this.#fault === undefined) this.abort();
    this.#fault = fault;
  }

  #takeWaiting(): Uint8Array {
    const part = joinOctets(this.#waiting);
    this.#waiting = [];
    this.#waitingOctets = 0;
    return part;
  }

  /** Writes what waits, in order, as few and as large parts as there are. */
  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      const octets = this.#waitingOctets;
      await this.#stream.write(this.#takeWaiting());
      this.#backlog = Math.max(0, this.#backlog - octets);
    }
    this.#pumping = undefined;
    this.#onDrain();
  }
}

/**
 * Goes before a message that begins with a blank, which would else go on with
 * our own trace field (RFC 5322 §2.2.3): all of it is body.
 */
const EMPTY_LINE = new Uint8Array([0x0d, 0x0a]);
