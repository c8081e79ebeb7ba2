/**
 * Length-prefixed frames: the wire form of everything roles say to each other.
 *
 *     OFFSET  SIZE  MEANING
 *          0     4  length of what follows, big-endian, 5 to 5 + MAX_BODY
 *          4     1  kind, see {@link FrameKind}
 *          5     4  request id, big-endian, chosen by the asker
 *          9     n  body: UTF-8 JSON, or bytes for a chunk
 *
 * Shares no code with the SMTP parser: a bug in one must not be a bug in both.
 * Knows nothing of calls and schemas; `asking_end.ts` and `answering_end.ts`
 * do.
 */

/** What a frame means. The numbers are the wire form. */
export const FRAME_KIND = {
  /** Body: JSON `[callName, ask]`. Asker to answerer. */
  ask: 1,
  /** Body: JSON of the answer. Ends the request. */
  answer: 2,
  /** Body: JSON string, one of the call's refusals. Ends the request. */
  refusal: 3,
  /** Body: raw bytes of a streaming ask. Asker to answerer. */
  chunk: 4,
  /** No body: the stream of chunks is complete. */
  end: 5,
  /**
   * No body. From the asker: it gave the ask up; nothing may be kept of a
   * stream. From the answerer: no answer will come.
   */
  abort: 6,
  /** Body: JSON; the supervisor's control channel only. */
  control: 7,
  /**
   * No body. Answerer to asker: it goes to rest. Ask nothing more here, and
   * close the channel when every ask is answered.
   */
  rest: 8,
  /**
   * No body. Answerer to asker, first of all: ask here. A channel that lay in
   * the socket's queue while its answerer went to rest brings `rest` with it.
   */
  here: 9,
} as const;

/** Name of a frame's meaning. */
export type FrameKind = keyof typeof FRAME_KIND;

/** Largest body of one frame, in octets. Larger things are chunked or paged. */
export const MAX_BODY = 256 * 1024;

/** The same for the supervisor's orders: a configuration may be long. */
export const MAX_ORDER_BODY = 64 * 1024 * 1024;

const HEADER = 9;
const KINDS = new Map<number, FrameKind>(
  Object.entries(FRAME_KIND).map(([name, n]) => [n, name as FrameKind]),
);

/** One frame, decoded. `body` is only valid until the next `push`. */
export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly body: Uint8Array;
}

/** Why a byte stream is no sequence of frames. Costs the sender its channel. */
export class FrameError extends Error {
  override name = "FrameError";
}

const encoder = new TextEncoder();

/**
 * Encodes one frame.
 *
 * @throws {RangeError} If the body exceeds `maxBody`: a caller bug
 */
export function encodeFrame(
  kind: FrameKind,
  id: number,
  body: Uint8Array | string = "",
  maxBody: number = MAX_BODY,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  if (bytes.length > maxBody) {
    throw new RangeError(
      `Cannot send frame: body has ${bytes.length} octets, limit ${maxBody}`,
    );
  }
  const frame = new Uint8Array(HEADER + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 5 + bytes.length);
  frame[4] = FRAME_KIND[kind];
  view.setUint32(5, id);
  frame.set(bytes, HEADER);
  return frame;
}

/**
 * Cuts a byte stream into frames, wherever it was split on the way.
 *
 * Holds at most one incomplete frame, so at most the largest body and a
 * header's worth of octets beside what was pushed.
 */
export class FrameReader {
  readonly #maxBody: number;
  #store: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** @param maxBody Largest body taken, {@link MAX_BODY} between roles */
  constructor(maxBody: number = MAX_BODY) {
    this.#maxBody = maxBody;
  }

  /**
   * Takes the next bytes and yields every frame that is now complete.
   *
   * @throws {FrameError} If a length or kind is impossible; the reader must
   * not be used again
   */
  *push(bytes: Uint8Array): Generator<Frame> {
    const data = this.#length === 0 ? bytes : this.#append(bytes);
    let at = 0;
    while (data.length - at >= 4) {
      const length = ((data[at]! << 24) | (data[at + 1]! << 16) |
        (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
      if (length < 5 || length > 5 + this.#maxBody) {
        throw new FrameError(`Cannot read frame: length is ${length}`);
      }
      if (data.length - at < 4 + length) break;
      const kind = KINDS.get(data[at + 4]!);
      if (kind === undefined) {
        throw new FrameError(`Cannot read frame: kind is ${data[at + 4]}`);
      }
      const id = ((data[at + 5]! << 24) | (data[at + 6]! << 16) |
        (data[at + 7]! << 8) | data[at + 8]!) >>> 0;
      const body = data.subarray(at + HEADER, at + 4 + length);
      at += 4 + length;
      yield { kind, id, body };
    }
    this.#keep(data, at);
  }

  /** Octets of an incomplete frame held at the moment. */
  get heldOctets(): number {
    return this.#length;
  }

  // Doubling, so that a sender who drips one octet at a time costs linear and
  // not quadratic time.
  #append(bytes: Uint8Array): Uint8Array {
    const length = this.#length + bytes.length;
    if (length > this.#store.length) {
      const store = new Uint8Array(Math.max(length, this.#store.length * 2));
      store.set(this.#store.subarray(0, this.#length));
      this.#store = store;
    }
    this.#store.set(bytes, this.#length);
    this.#length = length;
    return this.#store.subarray(0, length);
  }

  #keep(data: Uint8Array, from: number): void {
    const rest = data.subarray(from);
    if (rest.length === 0) {
      this.#store = this.#store.length > 65_536
        ? new Uint8Array(0)
        : this.#store;
    } else if (data.buffer !== this.#store.buffer) {
      // A copy, because node:net may reuse the buffer it lent us.
      this.#store = rest.slice();
    } else {
      this.#store.copyWithin(0, from, from + rest.length);
    }
    this.#length = rest.length;
  }
}
