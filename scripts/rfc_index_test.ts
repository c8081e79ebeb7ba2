import assert from "node:assert/strict";
import { citedIn, faultsOf, renderTable, type Rfc } from "./rfc_index.ts";

Deno.test("citedIn finds every form of a citation", () => {
  const source = `
    // RFC 5321 §4.5.3.1.10, and RFC
    // 1870. Not: RFC 3030 BDAT
    /** RFC
     * 2920 */
    const RFC822 = "xRFC 1 RFC 12 RFC 123456";`;
  assert.deepEqual([...citedIn(source)], [5321, 1870, 3030, 2920]);
});

const LIST = new Map<number, Rfc>([
  [5321, { title: "SMTP", support: "Yes" }],
  [3030, { title: "CHUNKING", support: "No", note: "later" }],
]);

Deno.test("faultsOf names what is cited and not listed, and the inverse", () => {
  const cited = new Map([[5321, new Set(["mod/a.ts"])]]);
  assert.deepEqual(faultsOf(LIST, cited), []);
  assert.deepEqual(faultsOf(LIST, new Map([[1870, new Set(["mod/a.ts"])]])), [
    "RFC 1870 is cited (mod/a.ts) but not in scripts/rfc_index.ts",
    'RFC 5321 is "Yes" but no code cites it',
  ]);
});

Deno.test("renderTable writes a row for each, by number", () => {
  const text = renderTable(LIST, new Map([[5321, new Set(["web", "mod/b"])]]));
  assert.deepEqual(text.trimEnd().split("\n").slice(-2), [
    "| [3030](https://www.rfc-editor.org/rfc/rfc3030) | CHUNKING | No | later |  |",
    "| [5321](https://www.rfc-editor.org/rfc/rfc5321) | SMTP | Yes |  | `mod/b`, `web` |",
  ]);
});
