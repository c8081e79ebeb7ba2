import assert from "node:assert/strict";
import { LogWriter } from "./log_writer.ts";

/** A sink that takes nothing until it is let. */
function stuckSink() {
  const gate = Promise.withResolvers<void>();
  let text = "";
  return {
    end: {
      async write(bytes: Uint8Array) {
        await gate.promise;
        // Short writes are the sink's right.
        const part = bytes.subarray(0, 1_000);
        text += new TextDecoder().decode(part);
        return part.length;
      },
    },
    open: () => gate.resolve(),
    lines: () => text.split("\n").slice(0, -1),
  };
}

Deno.test("LogWriter writes every line, in order", async () => {
  const sink = stuckSink();
  const log = new LogWriter(sink.end);
  for (let n = 0; n < 5_000; n++) log.line(`line ${n}`, "info");
  sink.open();
  await log.flush(5_000);
  assert.deepEqual(
    sink.lines(),
    Array.from({ length: 5_000 }, (_, n) => `line ${n}`),
  );
});

Deno.test("LogWriter drops and counts what a stuck reader does not take", async () => {
  const sink = stuckSink();
  const log = new LogWriter(sink.end);
  const line = "x".repeat(99_999);
  for (let n = 0; n < 100; n++) log.line(line, "info");
  sink.open();
  await log.flush(5_000);
  const told = sink.lines().filter((one) => one !== line)
    .map((one) => JSON.parse(one));
  assert.equal(told.length, 1);
  assert.equal(told[0].event, "log-dropped");
  assert.equal(told[0].lines + sink.lines().length - 1, 100);
});

Deno.test("LogWriter.flush() does not wait for ever", async () => {
  const sink = stuckSink();
  const log = new LogWriter(sink.end);
  log.line("x", "info");
  const start = performance.now();
  await log.flush(50);
  assert.ok(performance.now() - start < 2_000);
  sink.open();
});

Deno.test("LogWriter gives up quietly when the pipe is closed", async () => {
  const log = new LogWriter({
    write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
  });
  log.line("x", "info");
  await log.flush(1_000);
  log.line("y", "info");
  await log.flush(1_000);
});
