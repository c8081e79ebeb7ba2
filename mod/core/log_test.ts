// What a process prints is seen from outside: each test runs one.
import assert from "node:assert/strict";

/** Standard error of a process that runs `body`, without any permission. */
async function stderrOf(body: string): Promise<string> {
  const log = new URL("./log.ts", import.meta.url);
  const script = `import { log } from "${log}";${body}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-config", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(script));
  await stdin.close();
  return new TextDecoder().decode((await child.output()).stderr);
}

Deno.test("log writes one JSON object a line, hostile text or not", async () => {
  const hostile = '\n{"event":"forged"}\r\0\u2028\x1b[2J"\\';
  const text = await stderrOf(
    `const hostile = ${JSON.stringify(hostile)};
     log("first", { hostile, n: 1, yes: true, none: null, missing: undefined });
     log("second", { all: [1, "a\\nb"] });
     log("third");`,
  );
  const lines = text.split("\n");
  assert.equal(lines.length, 4, text);
  assert.deepEqual(lines.slice(0, 3).map((line) => JSON.parse(line)), [
    { event: "first", hostile, n: 1, yes: true, none: null },
    { event: "second", all: [1, "a\nb"] },
    { event: "third" },
  ]);
});

Deno.test("log cuts long strings, in lists too", async () => {
  const text = await stderrOf(
    `log("cut", { a: "x".repeat(1000), b: "x".repeat(1e6), c: ["y".repeat(1001)] });`,
  );
  assert.deepEqual(JSON.parse(text), {
    event: "cut",
    a: "x".repeat(1_000),
    b: "x".repeat(1_000) + "…",
    c: ["y".repeat(1_000) + "…"],
  });
});

Deno.test("log writes a whole line when a pipe is slow", async () => {
  const text = await stderrOf(
    `for (let n = 0; n < 500; n++) log("many", { n, pad: "é".repeat(900) });`,
  );
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.n), Array.from(lines.keys()));
  assert.equal(lines.length, 500);
});

Deno.test("log loses no line of a process that ends, exits or fails", async () => {
  for (
    const end of [
      "",
      "Deno.exit(3);",
      "throw new Error('x');",
      "Promise.reject(new Error('x'));",
    ]
  ) {
    const text = await stderrOf(`log("last"); ${end}`);
    assert.deepEqual(JSON.parse(text.split("\n")[0]!), { event: "last" }, end);
  }
});

Deno.test("log waits for others no longer than a moment", async () => {
  const text = await stderrOf(
    `log("early"); setTimeout(() => Deno.stderr.writeSync(new TextEncoder().encode("late\\n")), 200);`,
  );
  assert.equal(text, '{"event":"early"}\nlate\n');
});
