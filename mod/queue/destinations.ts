/**
 * How the last delivery to each destination went. In memory: after a restart
 * the first delivery says it anew.
 */
import type { z } from "../ipc/schema.ts";
import type { Attempt, AttemptedHost } from "../smtpc/smtpc_ipc.ts";
import type { lastDelivery } from "./console_ipc.ts";

/** See {@link lastDelivery}. */
export type LastDelivery = z.infer<typeof lastDelivery>;

/** Destinations remembered; beyond it the one of longest ago is forgotten. */
const MAX_REMEMBERED = 2_000;

/** See the file's head. */
export class LastDeliveries {
  readonly #byName = new Map<string, LastDelivery>();

  /** An attempt ended. */
  note(destination: string, attempt: Attempt, atMs: number): void {
    const host = attempt.hosts.at(-1);
    if (host === undefined) return;
    this.#byName.delete(destination);
    this.#byName.set(destination, deliveryOf(host, atMs));
    if (this.#byName.size > MAX_REMEMBERED) {
      this.#byName.delete(this.#byName.keys().next().value!);
    }
  }

  /** All that are remembered, by destination. */
  all(): ReadonlyMap<string, LastDelivery> {
    return this.#byName;
  }
}

function deliveryOf(host: AttemptedHost, atMs: number): LastDelivery {
  const { reached, tls, certificate, dns, mtaSts } = host;
  return {
    atMs,
    host: host.host,
    reached,
    tls,
    certificate,
    dns: { ...dns },
    mtaSts,
    outcome: host.result,
  };
}
