/**
 * Shapes for what crosses a wall: zod with the bounds made compulsory.
 *
 * Unknown keys are errors; every string, number and list has a maximum. A
 * shape is checked where it arrives, always: the sender may have been taken
 * over.
 */
import * as z from "./zod_parts.ts";

export { z };

/** A string of at most `max` UTF-16 units, at least `min` (default 0). */
export function text(bounds: { min?: number; max: number }) {
  return z.string().min(bounds.min ?? 0).max(bounds.max);
}

/** A string that matches `pattern`, which must be anchored and linear. */
export function token(pattern: RegExp, bounds: { max: number }) {
  return z.string().max(bounds.max).regex(pattern);
}

/** An integer in [min, max]. */
export function int(bounds: { min: number; max: number }) {
  return z.number().int().min(bounds.min).max(bounds.max);
}

/** A list of `min` (default 0) to `max` items. */
export function list<T extends z.ZodType>(
  item: T,
  bounds: { min?: number; max: number },
) {
  return z.array(item).min(bounds.min ?? 0).max(bounds.max);
}

/** An object with exactly these keys; any other key is an error. */
export function object<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape);
}
