/**
 * One round of the proof: mail is held back and its traces are counted; it is
 * let go, and what is left of it on the raw image is counted again, live and
 * unmounted.
 */
import assert from "node:assert/strict";
import { delay } from "../system/server_fixture.ts";
import type { ErasureScene } from "./erasure_scene.ts";
import { markedMail } from "./marked_mail.ts";
import { KeyWatch, sealedSamples } from "./secrets.ts";
import { type TraceKind, Traces, type Wanted } from "./trace_search.ts";
import { DiskMap } from "./whereabouts.ts";

/** In which time all must be gone. */
export const GONE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 3_000;
/** While mail is held: every message was tried, and all of it is on disk. */
const HELD_MS = 1_500;

/** What must be gone. The ciphertext of a lost key tells nobody anything. */
const FORBIDDEN: readonly TraceKind[] = ["content", "header", "address", "key"];

/** What one round saw. */
export interface Outcome {
  readonly name: string;
  /** While the mail waited. */
  readonly held: Traces;
  /** At the end of the time, server running, nothing synced by us. */
  readonly live: Traces;
  /** After that: stopped, synced, unmounted. */
  readonly unmounted: Traces;
  /** When nothing forbidden was there any more; undefined if never. */
  readonly goneAfterMs: number | undefined;
  /** Places of what is left. */
  readonly left: readonly string[];
  /** What `bulkhead shred status` says. */
  readonly status: string;
}

/** How to go about it. */
export interface RoundPlan {
  readonly name: string;
  readonly messages: number;
  /** Waits the whole time, though all be gone before. */
  readonly isPatient: boolean;
  /** Disturbs the server once the mail may go; until it resolves. */
  disturb?(scene: ErasureScene): Promise<void>;
}

/** Runs one; the server is stopped and the image unmounted afterwards. */
export async function erasureRound(
  scene: ErasureScene,
  plan: RoundPlan,
): Promise<Outcome> {
  const { image, made } = scene;
  await made.start();
  using watch = new KeyWatch(`${made.home}/queue`);
  const mail = markedMail(plan.messages);
  await scene.hold();
  await scene.send(mail);
  await delay(HELD_MS);
  const sealed = sealedSamples(`${made.home}/spool`);
  await image.sync();
  const maps = [await DiskMap.draw(image, "held")];
  const keys = [...watch.look().values()];
  const held = Traces.on(image, { mail, sealed, keys });
  assertSearchFinds(held, mail.filter(({ way }) => way !== "aborted").length);

  await scene.letGo(mail);
  await plan.disturb?.(scene);
  await scene.settled(mail);
  const began = performance.now();
  const ended = mail.filter(({ way }) => way !== "stays");
  const wanted = (): Wanted => ({ mail: ended, sealed, keys: watch.destroyed });
  let live = Traces.on(image, wanted());
  let goneAfterMs: number | undefined;
  while (performance.now() - began < GONE_WITHIN_MS) {
    if (!live.hasNone(FORBIDDEN)) goneAfterMs = undefined;
    else goneAfterMs ??= performance.now() - began;
    if (goneAfterMs !== undefined && !plan.isPatient) break;
    await delay(LOOK_EVERY_MS);
    live = Traces.on(image, wanted());
  }
  const { out, errors } = await made.command("shred", "status");
  maps.push(await DiskMap.draw(image, "then"));
  const last = wanted();
  await made.stopCleanly();
  await image.sync();
  await image.unmount();
  const unmounted = Traces.on(image, last);
  return {
    name: `${image.kind}, ${plan.name}`,
    held,
    live,
    unmounted,
    goneAfterMs,
    left: [
      ...live.whereabouts(image, maps).map((one) => `live: ${one}`),
      ...unmounted.whereabouts(image, maps).map((one) => `unmounted: ${one}`),
    ],
    status: (out + errors).trim(),
  };
}

/** The traces that a waiting message must have, or the search proves nothing. */
function assertSearchFinds(held: Traces, waiting: number): void {
  const { found, wanted } = {
    found: (kind: TraceKind) => held.found(kind),
    wanted: (kind: TraceKind) => held.wanted(kind),
  };
  assert.ok(found("key") >= waiting, `keys while mail waits: ${held}`);
  assert.ok(found("address") >= 2 * waiting, `addresses: ${held}`);
  assert.ok(found("sealed") >= waiting, `sealed records: ${held}`);
  assert.equal(found("sealed"), wanted("sealed"), `sealed records: ${held}`);
  assert.equal(found("content"), 0, `content is never in the clear: ${held}`);
  assert.equal(found("header"), 0, `headers are never in the clear: ${held}`);
}

/** Fails, with every place, unless all is gone that must be. */
export function assertErased(outcome: Outcome): void {
  const { name, live, unmounted, left } = outcome;
  for (const [when, traces] of Object.entries({ live, unmounted })) {
    assert.ok(
      traces.hasNone(FORBIDDEN),
      `${name}, ${when}: ${traces}\n${left.join("\n")}`,
    );
  }
}
