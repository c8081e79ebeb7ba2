import assert from "node:assert/strict";
import { drillFacts } from "../../../web/news.ts";
import { appendCare, careFile, readCare } from "./care_log_io.ts";
import { certificateFacts } from "./certificates.ts";
import { makeCertificate } from "../certificate.ts";
import {
  drillFile,
  drillRecord,
  readDrill,
  writeDrill,
} from "./drill_record_io.ts";

function withHome(body: (home: string) => void) {
  return () => {
    const home = Deno.makeTempDirSync();
    try {
      body(home);
    } finally {
      Deno.removeSync(home, { recursive: true });
    }
  };
}

const ACT = { role: "smtpc", mode: "flags", act: "read /etc/shadow" } as const;

Deno.test(
  "readDrill() reads what writeDrill() wrote, in the console's bounds",
  withHome((home) => {
    const record = drillRecord({
      acts: [
        { ...ACT, denied: true, wall: "deno" },
        { ...ACT, mode: "kernel", denied: false, wall: "none" },
      ],
    }, { atMs: 5, tookMs: 6.7 });
    assert.deepEqual(writeDrill(home, record), []);
    assert.deepEqual(readDrill(home), record);
    drillFacts.parse(record);
    assert.equal(record.denied, 1);
    assert.deepEqual(record.byWall, { deno: 1 });
    assert.deepEqual(record.succeeded, [
      "smtpc, with Deno's checks off: read /etc/shadow",
    ]);
  }),
);

Deno.test(
  "readDrill() takes no file that others may write, no link and no nonsense",
  withHome((home) => {
    assert.equal(readDrill(home), null);
    const record = drillRecord({ acts: [] }, { atMs: 5, tookMs: 6 });
    writeDrill(home, record);
    Deno.chmodSync(drillFile(home), 0o666);
    assert.equal(readDrill(home), null);
    Deno.renameSync(drillFile(home), `${home}/other`);
    Deno.chmodSync(`${home}/other`, 0o644);
    Deno.symlinkSync(`${home}/other`, drillFile(home));
    assert.equal(readDrill(home), null);
    Deno.removeSync(drillFile(home));
    Deno.writeTextFileSync(drillFile(home), "{}", { mode: 0o644 });
    assert.equal(readDrill(home), null);
  }),
);

Deno.test(
  "readCare() gives the last twenty entries, newest first, and no torn line",
  withHome((home) => {
    assert.deepEqual(readCare(home), []);
    for (let n = 0; n < 25; n++) {
      appendCare(home, { atMs: n, what: "backup", says: `number ${n}` });
    }
    Deno.writeTextFileSync(careFile(home), '{"atMs":9,"wh', { append: true });
    const read = readCare(home);
    assert.equal(read.length, 20);
    assert.deepEqual(read[0], { atMs: 24, what: "backup", says: "number 24" });
    assert.equal(Deno.statSync(careFile(home)).mode! & 0o777, 0o600);
  }),
);

Deno.test("certificateFacts() says for whom, by whom and until when", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const { cert } = makeCertificate("mx.home.test", nowMs);
  const [facts, ...others] = certificateFacts([
    { use: "smtp", file: "/f", pem: cert },
    { use: "smtp", file: "/g", pem: "no PEM" },
  ]);
  assert.equal(others.length, 0);
  assert.deepEqual(facts!.names, ["mx.home.test"]);
  assert.equal(facts!.isSelfSigned, true);
  assert.equal(facts!.notBeforeMs, nowMs - 3_600_000);
  assert.ok(facts!.notAfterMs > nowMs + 9 * 365 * 86_400_000);
});
