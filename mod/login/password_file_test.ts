import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  formatPasswords,
  parsePasswords,
  passwordsIn,
  saltKeyIn,
} from "./password_file.ts";

const SCRYPT = `scrypt$32768$8$3$${"A".repeat(22)}$${"B".repeat(43)}`;
const SCRAM = `scram-sha-256$100000$${"C".repeat(22)}==$${"D".repeat(42)}A=$${
  "E".repeat(42)
}A=`;
const FILE = `# made by hand
salts:${"F".repeat(42)}A=
me@home.test::${SCRYPT.slice(0, -1)}A:${SCRAM}:2026-11-21
me@home.test:phone::${SCRAM}:2026-11-22

old@home.test::${SCRYPT.slice(0, -1)}A::
`.replaceAll(`${"A".repeat(22)}$`, `${"A".repeat(21)}Q$`)
  .replaceAll("C==", "Q==");

Deno.test("parsePasswords() and formatPasswords() are opposites", () => {
  const read = parsePasswords(FILE);
  ok(read.ok, JSON.stringify(read));
  strictEqual(formatPasswords(read.lines), FILE);
  strictEqual(read.was, FILE);
  strictEqual(saltKeyIn(read.lines)?.length, 32);
  deepStrictEqual(
    passwordsIn(read.lines).map((one) => [
      one.mailbox.user,
      one.app,
      one.scrypt?.cost.N,
      one.scram?.iterations,
      one.made,
    ]),
    [
      ["me", "", 32_768, 100_000, "2026-11-21"],
      ["me", "phone", undefined, 100_000, "2026-11-22"],
      ["old", "", 32_768, undefined, ""],
    ],
  );
});

const BAD: [name: string, line: string, why: RegExp][] = [
  ["a path", `../me@home.test::${SCRYPT}::`, /no mailbox/],
  ["too few fields", "me@home.test:secret", /2 fields/],
  ["no hash", "me@home.test::::", /hash is missing/],
  ["a password", "me@home.test::secret::", /none of ours/],
  ["an app password without keys", `me@home.test:phone:${SCRYPT}::`, /missing/],
  ["a name in capitals", `me@home.test:Phone::${SCRAM}:`, /name/],
  ["no date", `me@home.test::${SCRYPT}::secret`, /date/],
  ["a key of one octet", "salts:AA==", /32 octets/],
  ["the same twice", `me@home.test:phone::${SCRAM}:`, /twice/],
  ["N of gigabytes", `x@y::${SCRYPT.replace("32768", "33554432")}::`, /none/],
  [
    "N that is no power of 2",
    `x@y::${SCRYPT.replace("32768", "32769")}::`,
    /none/,
  ],
  ["r of 0", `x@y::${SCRYPT.replace("$8$", "$0$")}::`, /none/],
  [
    "4,095 iterations",
    `x@y::${SCRYPT}:${SCRAM.replace("100000", "4095")}:`,
    /none/,
  ],
  ["2,000 characters", `x@y::${"x".repeat(2_000)}::`, /longer/],
];

for (const [name, line, why] of BAD) {
  Deno.test(`parsePasswords() names the line with ${name}`, () => {
    const read = parsePasswords(`${FILE}${line}\n`);
    ok(!read.ok);
    strictEqual(read.faults.length, 1);
    strictEqual(read.faults[0]!.line, 7);
    match(read.faults[0]!.message, why);
    // What somebody wrote by mistake stays out of the message.
    ok(!read.faults[0]!.message.includes("secret"));
  });
}
