/** Plugs an answerer into the sockets of those who may ask it. */
import { countRead } from "../core/read_buffers.ts";
import net from "node:net";
import { log } from "../core/log.ts";
import { AnsweringEnd, type Asker } from "./answering_end.ts";
import type { Call, Handlers, RoleName } from "./call.ts";
import { socketWire } from "./wire.ts";

/** Wait before plugging in again: after a lost channel, and after a breach. */
const AGAIN_MS = 100;
const AFTER_BREACH_MS = 1_000;

/**
 * An asker that has not closed its channel so long after {@link Plugs.rest} is
 * left, if it waits for nothing: it rests itself, or is about to start.
 */
const REST_WITHIN_MS = 1_000;

/** Every channel of one contract. */
export interface Plugs {
  /** Asks that are not answered yet. */
  readonly open: number;
  /**
   * Answers what is asked, tells the askers that no more will be, and resolves
   * when they have closed their channels: no ask is lost on the way.
   */
  rest(): Promise<void>;
  close(): void;
}

/** One asker's socket, as the supervisor told it. */
export interface Socket extends Asker {
  readonly path: string;
}

/**
 * Answers `contract` on every given socket, for ever: when an asker goes, its
 * socket stays (the supervisor holds it), so we connect again at once and
 * wait in the backlog for its successor.
 */
export function plugIn<C extends Record<string, Call>>(options: {
  contract: { readonly role: RoleName; readonly calls: C };
  sockets: readonly Socket[];
  handlers: Handlers<C>;
  /** Told when an asker's channel closes, with its instance. */
  onGone?: (instance: string) => void;
  /** Told when something comes from an asker. */
  onHeard?: () => void;
}): Plugs {
  let stopped = false;
  const ends = new Map<net.Socket, AnsweringEnd<C>>();
  let allGone: () => void = () => {};
  /** Askers whose channel was lost, and when they are connected to again. */
  const lost = new Map<Socket, ReturnType<typeof setTimeout>>();
  const connect = (asker: Socket) => {
    let againMs = AGAIN_MS;
    const socket = net.connect({ path: asker.path });
    const end = new AnsweringEnd({
      contract: options.contract,
      handlers: options.handlers,
      asker,
      wire: socketWire(socket),
      onBreach: (why) => {
        againMs = AFTER_BREACH_MS;
        log("ipc-breach", { by: asker.instance, why });
      },
    });
    ends.set(socket, end);
    end.begin();
    socket.on("data", (bytes: Uint8Array) => {
      countRead(bytes.length);
      options.onHeard?.();
      end.push(bytes);
      // Who does not read answers is not read: they would pile up in us.
      if (socket.writableNeedDrain) socket.pause();
    });
    socket.on("drain", () => socket.resume());
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      ends.delete(socket);
      end.closed("the asker is gone");
      options.onGone?.(asker.instance);
      if (stopped) {
        if (ends.size === 0) allGone();
        return;
      }
      const timer = setTimeout(() => {
        lost.delete(asker);
        connect(asker);
      }, againMs);
      lost.set(asker, timer);
    });
  };
  for (const asker of options.sockets) connect(asker);
  const plugNoMore = () => {
    stopped = true;
    for (const timer of lost.values()) clearTimeout(timer);
  };
  const close = () => {
    plugNoMore();
    for (const socket of ends.keys()) socket.destroy();
  };
  return {
    get open() {
      let open = 0;
      for (const end of ends.values()) open += end.open;
      return open;
    },
    async rest() {
      plugNoMore();
      // An asker that was started meanwhile is to know that we rest.
      for (const asker of lost.keys()) connect(asker);
      if (ends.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      allGone = resolve;
      for (const end of ends.values()) end.rest();
      const late = setInterval(() => {
        if ([...ends.values()].every((end) => end.open === 0)) resolve();
      }, REST_WITHIN_MS);
      await promise;
      clearInterval(late);
      close();
    },
    close,
  };
}
