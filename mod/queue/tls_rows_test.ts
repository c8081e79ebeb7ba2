import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { TlsRows } from "./tls_rows_io.ts";
import type { DayTally } from "./tls_tally.ts";

function tally(count: number, lines: string[] = []): DayTally {
  return [{ policy: "sts", lines, successes: count, failures: [] }];
}

const row = (day: number, domain: string, count = 1) => ({
  day,
  domain,
  dueMs: (day + 1) * 1_000,
  tally: tally(count),
});

Deno.test("TlsRows adds up a domain's day, and keeps days and domains apart", () => {
  const rows = new TlsRows(new DatabaseSync(":memory:"));
  rows.add([row(1, "a.test", 2), row(1, "b.test")]);
  rows.add([row(1, "a.test", 3), row(2, "a.test")]);
  const seen: string[] = [];
  for (let next = rows.due(9_999); next; next = rows.due(9_999)) {
    seen.push(`${next.day} ${next.domain} ${next.tally[0]!.successes}`);
    rows.remove(next);
  }
  assert.deepEqual(seen, ["1 a.test 5", "1 b.test 1", "2 a.test 1"]);
});

Deno.test("TlsRows gives what is due, and not what is put off or marked", () => {
  const rows = new TlsRows(new DatabaseSync(":memory:"));
  rows.add([row(1, "a.test"), row(1, "b.test")]);
  assert.equal(rows.due(1_999), undefined);
  rows.postpone({ day: 1, domain: "a.test" }, 5_000);
  assert.equal(rows.due(2_000)?.domain, "b.test");
  rows.mark({ day: 1, domain: "b.test" }, "ID");
  assert.equal(rows.due(2_000), undefined);
  // Its report is written: nothing is added to what it says.
  rows.add([row(1, "b.test")]);
  assert.equal(rows.due(2_000), undefined);
  rows.removeMarked();
  assert.equal(rows.due(9_999)?.domain, "a.test");
  assert.ok(rows.takeForgotten());
  assert.ok(!rows.takeForgotten());
});

Deno.test("TlsRows has room for so many octets, and says what it dropped", () => {
  const db = new DatabaseSync(":memory:");
  const rows = new TlsRows(db);
  const long = Array.from({ length: 20 }, () => "x".repeat(300));
  let dropped = 0;
  for (let n = 0; n < 6_000; n++) {
    dropped += rows.add([{
      day: 1,
      domain: `d${n}.test`,
      dueMs: 1,
      tally: tally(1, long),
    }]);
  }
  const kept = Number(
    db.prepare("SELECT count(*) n FROM tls_tallies").get()!.n,
  );
  assert.equal(kept + dropped, 6_000);
  assert.ok(kept > 5_000 && dropped > 100, `${kept} kept`);
  // Known domains are counted on; and the next process knows how full it is.
  const next = new TlsRows(db);
  assert.equal(
    next.add([{ ...row(1, "d6001.test"), tally: tally(1, long) }]),
    1,
  );
  next.clear();
  assert.equal(next.add([row(1, "d6001.test")]), 0);
});
