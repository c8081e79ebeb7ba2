import { strictEqual } from "node:assert/strict";
import { parse } from "smol-toml";
import { keyLines } from "./key_lines.ts";

const TEXT = `# [not.a.section]
top = 1

[plain] # a comment = 1
one = "x # no comment" # a comment
two = [ # = 1
  "a = 1",
  [ "b]" , 'c]' ],
]
"quoted key" = 1
'literal.key' = 1
"esc\\u0061ped" = 1
dotted . name = 1
three = """
four = 5
[no.section]
\\""" five = 6
"""
six = '''
[none]
'''
seven = { inside = 1, more = "}" }
eight = """x"""""

[ a . "b.c" ]
\tnine = 2026-01-01T00:00:00Z
__proto__ = 1
[[list]]
ten = 1
[[list]]
ten = 2
[late]
eleven = "\\\\"
twelve = "\\""
thirteen = 1`;

const LINES: [path: string[], line: number][] = [
  [["top"], 2],
  [["plain"], 4],
  [["plain", "one"], 5],
  [["plain", "two"], 6],
  [["plain", "quoted key"], 10],
  [["plain", "literal.key"], 11],
  [["plain", "escaped"], 12],
  [["plain", "dotted"], 13],
  [["plain", "dotted", "name"], 13],
  [["plain", "three"], 14],
  [["plain", "six"], 19],
  [["plain", "seven"], 22],
  [["plain", "seven", "inside"], 22],
  [["plain", "eight"], 23],
  [["a"], 25],
  [["a", "b.c"], 25],
  [["a", "b.c", "nine"], 26],
  [["a", "b.c", "__proto__"], 27],
  [["list"], 28],
  [["list", "ten"], 29],
  [["late", "eleven"], 33],
  [["late", "thirteen"], 35],
  // Not there: the parent's line, or the first.
  [["plain", "four"], 4],
  [["late", "missing"], 32],
  [["none"], 1],
  [["no", "section"], 1],
  [["not"], 1],
  [[], 1],
];

for (const [path, line] of LINES) {
  Deno.test(`keyLines() finds ${path.join(" . ") || "nothing"}`, () => {
    strictEqual(keyLines(TEXT)(path), line);
    strictEqual(keyLines(TEXT.replaceAll("\n", "\r\n"))(path), line, "CRLF");
  });
}

Deno.test("the text of these tests is TOML", () => {
  parse(TEXT);
});

Deno.test("keyLines() ends, in linear time, whatever the text", () => {
  const hostile = [
    "a.".repeat(200_000) + "b = 1",
    "[".repeat(400_000),
    '"'.repeat(400_000),
    '"""'.repeat(130_000),
    "\\".repeat(400_000),
    '"\\'.repeat(200_000),
    "a = [".repeat(80_000),
    "=".repeat(400_000),
    "]\n".repeat(200_000),
    "\n".repeat(400_000),
    "'''\n" + "x".repeat(400_000),
  ];
  for (const text of hostile) {
    const before = performance.now();
    keyLines(text)(["a", "b"]);
    const tookMs = performance.now() - before;
    strictEqual(tookMs < 2_000, true, `${text.slice(0, 8)}: ${tookMs} ms`);
  }
});
