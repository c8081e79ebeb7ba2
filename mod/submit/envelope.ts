/** The envelope in a dropped file, as pickup checks it. */
import {
  address,
  messageWishes,
  recipientWishes,
  reversePath,
} from "../core/shapes.ts";
import { list, object, text, z } from "../ipc/schema.ts";
import type { DropEnvelope } from "./drop_file.ts";

/** See {@link DropEnvelope}. */
const shape = object({
  sender: z.union([z.null(), reversePath]),
  fullName: text({ max: 200 }),
  recipients: list(address, { min: 1, max: 1_000 }),
  notify: recipientWishes.shape.notify,
  ret: messageWishes.shape.ret,
  envid: messageWishes.shape.envid,
  verp: messageWishes.shape.verp,
});

/** Reads an envelope; undefined if it is none. */
export function readEnvelope(octets: Uint8Array): DropEnvelope | undefined {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(octets));
  } catch {
    return undefined; // no UTF-8, or no JSON: somebody's own work
  }
  const read = shape.safeParse(value);
  return read.success ? read.data : undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
