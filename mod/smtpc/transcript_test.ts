import assert from "node:assert/strict";
import { MAX_LINE, MAX_LINES, Transcript } from "./transcript.ts";

Deno.test("Transcript tells who said what", () => {
  const transcript = new Transcript();
  transcript.note("connecting");
  transcript.got({ code: 250, lines: ["a", "b"] });
  transcript.sent("QUIT");
  assert.deepEqual(transcript.lines(), [
    "* connecting",
    "S: 250-a",
    "S: 250 b",
    "C: QUIT",
  ]);
});

Deno.test("Transcript keeps its bounds, the start and the end", () => {
  for (const count of [59, 60, 61, 500]) {
    const transcript = new Transcript();
    for (let i = 0; i < count; i++) {
      transcript.sent(`${i} ${"x".repeat(300)}`);
    }
    const lines = transcript.lines();
    assert.ok(lines.length <= MAX_LINES);
    assert.ok(lines.every((line) => line.length <= MAX_LINE));
    assert.ok(lines[0]!.startsWith("C: 0 "));
    assert.ok(lines.at(-1)!.startsWith(`C: ${count - 1} `));
  }
});
