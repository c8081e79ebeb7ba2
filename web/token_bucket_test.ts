import assert from "node:assert/strict";
import { TokenBuckets } from "./token_bucket.ts";

const RATES = {
  all: { burst: 4, everyMs: 100 },
  each: { burst: 2, everyMs: 1_000 },
};

Deno.test("TokenBuckets bounds each client, and all of them", () => {
  const buckets = new TokenBuckets(RATES);
  const take = (client: string) => buckets.take(client, 1_000);
  assert.deepEqual(["a", "a", "a"].map(take), [true, true, false]);
  assert.deepEqual(["b", "b", "c"].map(take), [true, true, false]);
  assert.ok(buckets.take("c", 1_100), "all have one more");
  assert.ok(!buckets.take("a", 1_900), "a has none yet");
  assert.ok(buckets.take("a", 2_000));
});

Deno.test("TokenBuckets takes nothing from all for who has none left", () => {
  const buckets = new TokenBuckets(RATES);
  for (let i = 0; i < 100; i++) buckets.take("greedy", 1_000);
  assert.ok(buckets.take("b", 1_000));
  assert.ok(buckets.take("b", 1_000));
});

Deno.test("TokenBuckets bears a clock that is set back", () => {
  const buckets = new TokenBuckets(RATES);
  buckets.take("a", 1e12);
  buckets.take("a", 1e12);
  assert.ok(!buckets.take("a", 0));
  assert.ok(buckets.take("a", 1_000));
});
