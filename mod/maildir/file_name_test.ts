import assert from "node:assert/strict";
import {
  FileNames,
  isOwnName,
  jobName,
  readName,
  withSize,
} from "./file_name.ts";

const JOB = jobName("01J5ABCDEFGHJKMN", 7);
const LONGEST = jobName("ZZZZZZZZZZZZZZZZ", 2 ** 31);
const RANDOM = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 255);

Deno.test("FileNames follows maildir(5)", () => {
  const names = new FileNames({
    hostname: "mx.home.test",
    pid: 42,
    random: RANDOM,
  });
  assert.equal(
    names.next(JOB, 1_700_000_000_123),
    "1700000000.M123000P42Q1R00010203040506ffB01J5ABCDEFGHJKMN-7.mx.home.test",
  );
  assert.equal(
    withSize(names.next(JOB, 1_700_000_000_123), 77),
    "1700000000.M123000P42Q2R00010203040506ffB01J5ABCDEFGHJKMN-7.mx.home.test,S=77",
  );
});

Deno.test("FileNames gives no name twice, in one millisecond or two processes", () => {
  const seen = new Set<string>();
  for (let process = 0; process < 20; process++) {
    // Same pid, same clock: a container that starts again and again.
    const names = new FileNames({ hostname: "h", pid: 1 });
    for (let i = 0; i < 500; i++) seen.add(names.next(JOB, 1_000));
  }
  assert.equal(seen.size, 20 * 500);
});

const HOSTS = [
  { name: "a slash", host: "a/b", want: "a\\057b" },
  { name: "a colon", host: "[::1]", want: "\\133\\072\\0721\\135" },
  { name: "a comma", host: "a,S=1", want: "a\\054S\\0751" },
  { name: "a control character", host: "a\nb\0", want: "a\\012b\\000" },
  { name: "octets beyond ASCII", host: "é", want: "\\303\\251" },
];

for (const { name, host, want } of HOSTS) {
  Deno.test(`FileNames escapes ${name} in the host name`, () => {
    const made = new FileNames({ hostname: host, random: RANDOM }).next(JOB, 0);
    assert.equal(made.split(`R00010203040506ffB${JOB}.`)[1], want);
  });
}

Deno.test("FileNames stays within NAME_MAX for every host name", () => {
  for (const hostname of ["h".repeat(255), "/".repeat(255), "é".repeat(255)]) {
    const names = new FileNames({ hostname, pid: 2 ** 22 });
    const name = withSize(names.next(LONGEST, 999_999_999_999_999), 2 ** 32);
    const read = `${name}:2,DFPRST${"abcdefghijklmnopqrstuvwxyz"}`;
    assert.ok(read.length <= 255, `${read.length}`);
    assert.ok(isOwnName(name));
    assert.equal(readName(read)?.job, LONGEST);
  }
});

Deno.test("isOwnName() knows our names and leaves others alone", () => {
  const own = new FileNames({ hostname: "h" }).next(JOB);
  assert.ok(isOwnName(own));
  assert.ok(isOwnName(withSize(own, 5)));
  for (
    const other of [
      "",
      "dovecot.index",
      "1700000000.V801I2a3M4.host", // Dovecot's
      "1700000000.M1P2Q3Rabc.h",
      ` ${own}`,
      own.slice(1).replace(/^\d+/, "x"),
    ]
  ) assert.equal(isOwnName(other), false, other);
});

Deno.test("readName() tells job and time, with flags or without", () => {
  const name = new FileNames({ hostname: "h" }).next(JOB, 1_700_000_000_123);
  for (const seen of [name, withSize(name, 5), `${name},S=5,W=6:2,RS`]) {
    assert.deepEqual(readName(seen), { job: JOB, seconds: 1_700_000_000 });
  }
  const before = "1700000000.M1P2Q3R00010203040506ff.h,S=5";
  assert.ok(isOwnName(before), "of an earlier version");
  assert.equal(readName(before), undefined);
  assert.equal(readName(`${name}${"x".repeat(255)}`), undefined);
});
