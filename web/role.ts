/** The console: shows the state, and passes on what administrators order. */
import { int, list, object, text, z } from "../mod/ipc/schema.ts";
import type { RoleManifest } from "../mod/walls/manifest.ts";

/** The console's part of the configuration. */
export const consolePart = object({
  hostname: text({ min: 1, max: 255 }),
  /** The `host:port` values that a browser may send; others are rebinding. */
  hosts: text({ max: 1_024 }),
  /** Origins of forms beside those of `hosts`: of a proxy that has the TLS. */
  origins: list(text({ max: 100 }), { max: 16 }).default([]),
  /** Everything is shown to everybody; actions need a sign-in all the same. */
  isOpen: z.boolean().default(false),
  /** Its own certificate, PEM; null: without TLS. */
  tls: z.union([
    z.null(),
    object({ cert: text({ max: 262_144 }), key: text({ max: 65_536 }) }),
  ]).default(null),
  /** How long a message is tried (`queue.expire`): a journey says until when. */
  expireMs: int({ min: 0, max: 2 ** 40 }),
  /** Who may read `/metrics`; an empty token is none. */
  metrics: object({ isOpen: z.boolean(), token: text({ max: 200 }) }),
});

/** See {@link consolePart}. */
export type ConsolePart = z.infer<typeof consolePart>;

/** The manifest. */
export const consoleRole: RoleManifest = {
  name: "console",
  job: "shows the server's state to a browser",
  trust: 1,
  asks: ["queue", "gate"],
  listens: ["console"],
  instances: () => 1,
  needs: () => ({ read: [], write: [], connect: [] }),
  heapMb: 128,
  openFiles: 1_024,
  part: consolePart,
  groups: [],
};
