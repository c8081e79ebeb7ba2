/**
 * One round of the proof: mail is held back and its traces are counted; it is
 * let go, and what is left of it on the raw image is counted again, live and
 * unmounted.
 */
import assert from "node:assert/strict";
import { delay } from "../system/server_fixture.ts";
import type { ErasureScene } from "./erasure_scene.ts";
import { type MailPlan, markedMail } from "./marked_mail.ts";
import { KeyWatch, sealedSamples } from "./secrets.ts";
import {
  TRACE_KINDS,
  type TraceKind,
  Traces,
  type Wanted,
} from "./trace_search.ts";
import type { DiskImage } from "./disk_image.ts";
import { DiskMap } from "./whereabouts.ts";

/** In which time all that could be read must be gone. */
const GONE_WITHIN_MS = 60_000;
/**
 * In which time the ciphertext must be overwritten too. After a death of the
 * spool it waits until the queue has named all that is in use, for minutes.
 */
const OVERWRITTEN_WITHIN_MS = 360_000;
const LOOK_EVERY_MS = 3_000;
/** While mail is held: every message was tried, and all of it is on disk. */
const HELD_MS = 1_500;

/** What tells of a message. Ciphertext whose key is gone tells nobody. */
const READABLE: readonly TraceKind[] = ["content", "header", "address", "key"];

/** What one round saw. */
export interface Outcome {
  readonly name: string;
  /** While the mail waited. */
  readonly held: Traces;
  /** At the end of the time, server running, nothing synced by us. */
  readonly live: Traces;
  /** After that: stopped, synced, unmounted. */
  readonly unmounted: Traces;
  /** When nothing readable was there any more; undefined if never. */
  readonly goneAfterMs: number | undefined;
  /** When no ciphertext was there any more. */
  readonly overwrittenAfterMs: number | undefined;
  readonly mustOverwrite: boolean;
  /** Places of what is left. */
  readonly left: readonly string[];
  /** What `bulkhead shred status` says. */
  readonly status: string;
}

/** How to go about it. */
export interface RoundPlan extends MailPlan {
  readonly name: string;
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
  const mail = markedMail(plan);
  await scene.hold();
  await scene.send(mail);
  await delay(HELD_MS);
  const sealed = sealedSamples(`${made.home}/spool/segments`);
  await image.sync();
  const maps = [await DiskMap.draw(image, "held")];
  const keys = [...watch.look().values()];
  const held = await Traces.on(image, { mail, sealed, keys });
  assertSearchFinds(held, mail.filter(({ way }) => way !== "aborted").length);

  await scene.letGo(mail);
  await plan.disturb?.(scene);
  await scene.settled(mail);
  const ended = mail.filter(({ way }) => way !== "stays");
  const wanted = (): Wanted => ({ mail: ended, sealed, keys: watch.destroyed });
  const watched = await watchVanish(image, wanted, {
    isPatient: plan.isPatient,
    alsoSealed: !plan.someStay,
  });
  const { out, errors } = await made.command("shred", "status");
  maps.push(await DiskMap.draw(image, "then"));
  const last = wanted();
  await made.stopCleanly();
  await image.sync();
  await image.unmount();
  const unmounted = await Traces.on(image, last);
  return {
    name: `${image.kind}, ${plan.name}`,
    held,
    unmounted,
    ...watched,
    mustOverwrite: !plan.someStay,
    left: [
      ...watched.live.whereabouts(image, maps).map((one) => `live: ${one}`),
      ...unmounted.whereabouts(image, maps).map((one) => `unmounted: ${one}`),
    ],
    status: (out + errors).trim(),
  };
}

/** Looks again and again, without a sync of ours, until all is gone. */
async function watchVanish(
  image: DiskImage,
  wanted: () => Wanted,
  until: { isPatient: boolean; alsoSealed: boolean },
): Promise<Pick<Outcome, "live" | "goneAfterMs" | "overwrittenAfterMs">> {
  const began = performance.now();
  const passed = () => performance.now() - began;
  const latestMs = until.alsoSealed ? OVERWRITTEN_WITHIN_MS : GONE_WITHIN_MS;
  let goneAfterMs: number | undefined;
  let overwrittenAfterMs: number | undefined;
  for (;;) {
    const live = await Traces.on(image, wanted());
    // Nothing may come back: the last time that all was gone is what counts.
    if (!live.hasNone(READABLE)) goneAfterMs = undefined;
    else goneAfterMs ??= passed();
    if (!live.hasNone(["sealed"])) overwrittenAfterMs = undefined;
    else overwrittenAfterMs ??= passed();
    const isDone = goneAfterMs !== undefined &&
      (overwrittenAfterMs !== undefined || !until.alsoSealed);
    const mayEnd = !until.isPatient || passed() > GONE_WITHIN_MS;
    if ((isDone && mayEnd) || passed() > latestMs) {
      return { live, goneAfterMs, overwrittenAfterMs };
    }
    await delay(LOOK_EVERY_MS);
  }
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

/** Fails, with every place, unless all is gone in time that must be. */
export function assertErased(outcome: Outcome): void {
  const { name, live, unmounted, left, goneAfterMs, mustOverwrite } = outcome;
  const places = left.join("\n");
  const must = mustOverwrite ? TRACE_KINDS : READABLE;
  for (const [when, traces] of Object.entries({ live, unmounted })) {
    assert.ok(traces.hasNone(must), `${name}, ${when}: ${traces}\n${places}`);
  }
  assert.ok(
    goneAfterMs !== undefined && goneAfterMs <= GONE_WITHIN_MS,
    `${name}: readable for ${goneAfterMs} ms`,
  );
}
