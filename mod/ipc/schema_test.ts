import assert from "node:assert/strict";
import { int, list, object, text, token } from "./schema.ts";

const shape = object({
  name: text({ min: 1, max: 3 }),
  n: int({ min: 0, max: 5 }),
  all: list(token(/^[a-z]+$/, { max: 2 }), { max: 2 }),
});

/** As it comes over the wire: `__proto__` is a key like any other. */
function parses(json: string): boolean {
  return shape.safeParse(JSON.parse(json)).success;
}

Deno.test("object takes exactly its keys within their bounds", () => {
  assert.ok(parses('{"name":"abc","n":5,"all":["ab","c"]}'));
  assert.ok(parses('{"name":"a","n":0,"all":[]}'));
});

for (
  const json of [
    "null",
    "[]",
    '"a"',
    "{}",
    '{"name":"","n":0,"all":[]}',
    '{"name":"abcd","n":0,"all":[]}',
    '{"name":"a","n":-1,"all":[]}',
    '{"name":"a","n":6,"all":[]}',
    '{"name":"a","n":0.5,"all":[]}',
    '{"name":"a","n":1e999,"all":[]}',
    '{"name":"a","n":"0","all":[]}',
    '{"name":"a","n":0,"all":["a","b","c"]}',
    '{"name":"a","n":0,"all":["A"]}',
    '{"name":"a","n":0,"all":["abc"]}',
    '{"name":"a","n":0,"all":{"length":0}}',
    '{"name":"a","n":0,"all":[],"more":1}',
    '{"name":"a","n":0,"all":[],"__proto__":{}}',
    '{"name":"a","n":0,"all":[],"constructor":1}',
    '{"name":"a","n":0,"all":[],"toString":1}',
    '{"__proto__":{"name":"a","n":0,"all":[]}}',
  ]
) {
  Deno.test(`object refuses ${json}`, () => assert.ok(!parses(json)));
}
