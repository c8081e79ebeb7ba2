/**
 * DANE end to end: what the DNS says, what hosts show, and who gets the
 * message. posttls-finger, Postfix's own, is asked about the same domains.
 */
import assert from "node:assert/strict";
import { canFinger, type Opinion, withFinger } from "./dane_lab_finger.ts";
import {
  type Lab,
  type Row,
  SECRET,
  type Seen,
  withDaneLab,
} from "./dane_lab_fixture.ts";
import { ROWS } from "./dane_lab_rows.ts";
import { areInstalled } from "./peers.ts";

const AT_ONCE = 8;

Deno.test("mail goes out as safely as the destination says, and never less so", async (t) => {
  if (!areInstalled("DANE", "/usr/sbin/nsd", "/usr/bin/ldns-signzone")) return;
  await withDaneLab(ROWS, async (lab) => {
    const seen = await inTurn(ROWS, (row) => lab.send(row));
    for (const [i, row] of ROWS.entries()) {
      await t.step(row.name, () => check(row, seen[i]!));
    }
    await secondOpinion(lab, t);
  });
});

/** posttls-finger's, of what can be asked without somebody in between. */
async function secondOpinion(lab: Lab, t: Deno.TestContext): Promise<void> {
  if (!canFinger()) return;
  const rows = ROWS.filter(({ finger }) => finger !== undefined);
  await withFinger(lab, async (ask) => {
    const opinions = await inTurn(rows, async (row) => {
      let opinion: Opinion | undefined;
      await lab.withHosts(row, async () => {
        opinion = await ask(lab.domainOf(row));
      });
      return opinion!;
    });
    for (const [i, row] of rows.entries()) {
      const { verdict, words } = opinions[i]!;
      await t.step(`posttls-finger: ${row.name}`, () => {
        assert.equal(verdict, row.finger, words);
      });
    }
  });
}

function check(row: Row, seen: Seen): void {
  const { outcome, words, attempt, hosts } = seen;
  assert.equal(outcome, row.want, words);
  if (row.says !== undefined) assert.ok(words.includes(row.says), words);
  if (row.report !== undefined) {
    const results = attempt.tlsResults.map(({ result }) => result);
    assert.equal(results.at(-1), row.report, words);
  }
  // Nobody saw a word of it but who was to have it, and that one as said.
  const taker = Number(/^[0-9]+/.exec(row.want)?.[0] ?? 0) - 1;
  hosts.forEach((host, i) => {
    if (i !== taker) assert.ok(!host.seen().includes(SECRET), `host ${i + 1}`);
  });
}

/** Does all, some at a time, in their order. */
async function inTurn<T, R>(
  all: readonly T[],
  act: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < all.length) {
      const at = next++;
      results[at] = await act(all[at]!);
    }
  }));
  return results;
}
