/** A wire whose other side is a test: what was written is kept, in order. */
import { type Frame, FrameReader } from "./frames.ts";
import type { Wire } from "./wire.ts";

/** See {@link Wire}; `slow` makes it push back until {@link MemoryWire.drain}. */
export class MemoryWire implements Wire {
  closed = false;
  slow = false;
  #sent: Uint8Array[] = [];
  #drained = Promise.withResolvers<void>();

  write(bytes: Uint8Array): boolean {
    if (!this.closed) this.#sent.push(bytes);
    return !this.slow;
  }

  drained(): Promise<void> {
    return this.slow ? this.#drained.promise : Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.drain();
  }

  /** The other side read everything. */
  drain(): void {
    this.slow = false;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers<void>();
  }

  /** Takes out the frames written since the last call. */
  taken(): Frame[] {
    const reader = new FrameReader();
    const frames = this.#sent.flatMap((bytes) =>
      [...reader.push(bytes)].map((frame) => ({
        ...frame,
        body: frame.body.slice(),
      }))
    );
    this.#sent = [];
    return frames;
  }

  /** {@link taken}, with bodies read as JSON; an empty body is null. */
  takenJson(): [kind: string, id: number, body: unknown][] {
    return this.taken().map(({ kind, id, body }) => [
      kind,
      id,
      body.length === 0 ? null : JSON.parse(new TextDecoder().decode(body)),
    ]);
  }
}
