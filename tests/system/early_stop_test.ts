/** A signal that comes before the server is ready ends it all the same. */
import assert from "node:assert/strict";
import { delay, installation, spawnServe } from "./server_fixture.ts";

Deno.test("SIGTERM while the roles start ends the server, and frees its home", async () => {
  await using made = await installation();
  const config = `${made.home}/bulkhead.toml`;
  for (const waitMs of [350, 500, 650, 800, 1_000]) {
    const child = spawnServe(config, `${made.home}/log`);
    await delay(waitMs);
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const { code, signal } = await child.status;
    clearTimeout(late);
    // Before it listens for signals the runtime itself ends, with the signal.
    assert.ok(code === 0 || signal === "SIGTERM", `${waitMs} ms: ${code}`);
    assert.notEqual(signal, "SIGKILL", `after ${waitMs} ms it did not end`);
  }
});
