/**
 * The dial role: a question in, a TCP connection out, and then octets both
 * ways that it does not look at.
 */
import net from "node:net";
import { runRole } from "../ipc/role_runtime.ts";
import { ASK_OCTETS, DIAL_FAILED, DIALLED } from "./dial_ipc.ts";
import { type Dial, openDial } from "./dial_io.ts";
import { dialPart } from "./role.ts";

/** Channels plugged in that wait for a question. */
const SPARE = 4;
/** Connections at once; each holds two descriptors. */
const MAX_OPEN = 400;
/** Wait before plugging in again. */
const AGAIN_MS = 100;

/** Runs the role. */
export function main(): Promise<void> {
  return runRole(dialPart, (ctx) => {
    const dial = openDial({ libc: ctx.part.libc, part: () => ctx.part });
    for (const { path } of ctx.answers) {
      keepPlugged(path, dial, (name) => ctx.count(name));
    }
  });
}

/** Keeps {@link SPARE} channels plugged in, for ever. */
export function keepPlugged(
  path: string,
  dial: Dial,
  count: (name: string) => void,
): void {
  let spare = 0;
  let open = 0;
  const refill = () => {
    while (spare < SPARE && open + spare < MAX_OPEN) plug();
  };
  const plug = () => {
    spare++;
    const channel = net.connect({ path, allowHalfOpen: true });
    let isSpare = true;
    const used = () => {
      if (!isSpare) return;
      isSpare = false;
      spare--;
      open++;
      refill();
    };
    channel.on("error", () => {}); // "close" follows
    // Half open is for a connection; nobody will ask on this one any more.
    channel.once("end", () => {
      if (isSpare) channel.destroy();
    });
    channel.once("close", () => {
      if (isSpare) {
        // The asker is gone; its socket stays, and so does our interest.
        spare--;
        setTimeout(refill, AGAIN_MS);
      } else {
        open--;
        refill();
      }
    });
    channel.once("data", (ask: Uint8Array) => {
      used();
      channel.pause();
      if (ask.length !== ASK_OCTETS) return void channel.destroy();
      join(channel, dial(ask.slice()), count);
    });
  };
  refill();
}

/** Joins a channel to the connection that is being opened for it. */
async function join(
  channel: net.Socket,
  dialling: Promise<net.Socket | undefined>,
  count: (name: string) => void,
): Promise<void> {
  const connection = await dialling;
  count(connection === undefined ? "failed" : "dialled");
  if (connection === undefined) {
    channel.end(new Uint8Array([DIAL_FAILED]), () => channel.destroy());
    return;
  }
  connection.on("error", () => {}); // "close" follows
  if (channel.destroyed) return void connection.destroy();
  channel.write(new Uint8Array([DIALLED]));
  connection.setNoDelay(true);
  // pipe passes an end on; a loss on one side is a loss on the other.
  connection.pipe(channel);
  channel.pipe(connection);
  connection.once("close", () => channel.destroy());
  channel.once("close", () => connection.destroy());
}
