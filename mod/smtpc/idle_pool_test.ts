import assert from "node:assert/strict";
import { IdlePool, LIMITS, type Poolable } from "./idle_pool.ts";

class Fake implements Poolable {
  uses = 1;
  quits = 0;
  stirred = false;
  stir: () => void = () => {};
  quit() {
    this.quits++;
  }
  watch(onStir: () => void) {
    this.stir = onStir;
  }
  unwatch() {
    this.stir = () => {};
    return !this.stirred;
  }
}

function pool() {
  const clock = { now: 0 };
  return { clock, pool: new IdlePool<Fake>(() => clock.now) };
}

Deno.test("IdlePool gives a session back for its own key only, once", () => {
  const { pool: idle } = pool();
  const session = new Fake();
  idle.put("a", session);
  assert.equal(idle.take("b"), undefined);
  assert.equal(idle.take("a"), session);
  assert.equal(idle.take("a"), undefined);
  assert.equal(idle.size, 0);
  idle.close();
});

Deno.test("IdlePool says goodbye to what was idle for too long", () => {
  const { pool: idle, clock } = pool();
  const [old, young] = [new Fake(), new Fake()];
  idle.put("a", old);
  clock.now = LIMITS.idleMs - 1;
  idle.put("a", young);
  clock.now = LIMITS.idleMs;
  idle.sweep();
  assert.deepEqual([old.quits, young.quits, idle.size], [1, 0, 1]);
  clock.now = LIMITS.idleMs * 3;
  assert.equal(idle.take("a"), undefined);
  assert.equal(young.quits, 1);
  idle.close();
});

Deno.test("IdlePool drops a session whose server stirs", () => {
  const { pool: idle } = pool();
  const session = new Fake();
  idle.put("a", session);
  session.stir();
  assert.deepEqual([session.quits, idle.size], [1, 0]);
  const late = new Fake();
  idle.put("a", late);
  late.stirred = true;
  assert.equal(idle.take("a"), undefined);
  assert.equal(late.quits, 1);
  idle.close();
});

Deno.test("IdlePool bounds use and number", () => {
  const { pool: idle } = pool();
  const worn = new Fake();
  worn.uses = LIMITS.uses;
  idle.put("a", worn);
  assert.equal(worn.quits, 1);
  const many = Array.from({ length: LIMITS.perKey + 1 }, () => new Fake());
  for (const session of many) idle.put("a", session);
  assert.equal(idle.size, LIMITS.perKey);
  assert.equal(many.at(-1)!.quits, 1);
  for (let i = 0; i < LIMITS.total + 5; i++) idle.put(`k${i}`, new Fake());
  assert.equal(idle.size, LIMITS.total);
  idle.close();
  assert.equal(idle.size, 0);
});
