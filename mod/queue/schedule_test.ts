import assert from "node:assert/strict";
import { isExpired, retryDelayMs, SLEW_MS, SteadyClock } from "./schedule.ts";

const LIMITS = { firstRetryMs: 1_800_000, maxRetryMs: 14_400_000 };

// RFC 5321 §4.5.4.1.
const DELAYS: { attempts: number; random: number; want: number }[] = [
  { attempts: 1, random: 0, want: 1_800_000 },
  { attempts: 2, random: 0, want: 2_700_000 },
  { attempts: 3, random: 0, want: 4_050_000 },
  { attempts: 6, random: 0, want: 13_668_750 },
  { attempts: 7, random: 0, want: 14_400_000 },
  { attempts: 10_000, random: 0, want: 14_400_000 },
  { attempts: 1, random: 0.5, want: 1_890_000 },
  { attempts: 7, random: 0.5, want: 15_120_000 },
];

for (const { attempts, random, want } of DELAYS) {
  Deno.test(`retryDelayMs is ${want} after ${attempts} attempts at random ${random}`, () => {
    assert.equal(retryDelayMs(attempts, random, LIMITS), want);
  });
}

Deno.test("retryDelayMs throws when attempts is no positive integer", () => {
  for (const attempts of [0, -1, 1.5, NaN]) {
    assert.throws(() => retryDelayMs(attempts, 0, LIMITS), RangeError);
  }
});

Deno.test("isExpired needs age and a second attempt", () => {
  const base = { arrivedMs: 1_000, nowMs: 7_000, expireMs: 5_000, attempts: 2 };
  assert.equal(isExpired(base), true);
  assert.equal(isExpired({ ...base, nowMs: 6_000 }), false);
  assert.equal(isExpired({ ...base, attempts: 1 }), false);
});

Deno.test("SteadyClock follows small steps and ignores jumps", () => {
  let wall = 1_000_000_000_000;
  let monotonic = 50;
  const jumps: number[] = [];
  const clock = new SteadyClock({
    wallMs: () => wall,
    monotonicMs: () => monotonic,
    onJump: (by) => jumps.push(by),
  });
  assert.equal(clock.nowMs(), wall);
  wall += 1_500;
  monotonic += 1_000;
  assert.equal(clock.nowMs(), wall, "half a second of NTP is adopted");
  const before = clock.nowMs();
  wall += 5 * 86_400_000;
  monotonic += 2_000;
  assert.equal(clock.nowMs(), before + 2_000, "five days are not");
  wall += 1_000;
  monotonic += 1_000;
  assert.equal(clock.nowMs(), before + 3_000);
  wall -= 365 * 86_400_000;
  monotonic += 1_000;
  assert.equal(clock.nowMs(), before + 4_000, "nor is a year back");
  assert.equal(jumps.length, 2);
  assert.ok(jumps[0]! > SLEW_MS && jumps[1]! < -SLEW_MS);
});

Deno.test("SteadyClock never goes back", () => {
  let wall = 1_000_000_000_000;
  const clock = new SteadyClock({ wallMs: () => wall, monotonicMs: () => 0 });
  const first = clock.nowMs();
  wall -= 5_000;
  assert.equal(clock.nowMs(), first);
});
