import assert from "node:assert/strict";
import { TestClient } from "./test_client.ts";

Deno.test("SmtpServer accepts again after it ran out of open files", async () => {
  const probe = new URL("./emfile_probe.ts", import.meta.url).pathname;
  const child = new Deno.Command("prlimit", {
    args: ["--nofile=50", Deno.execPath(), "run", "-A", probe],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = child.stdout.getReader();
    const first = await reader.read();
    const port = Number(new TextDecoder().decode(first.value));
    await reader.cancel();
    const clients = Array.from({ length: 60 }, () => TestClient.openRaw(port));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const greeted = clients.filter((client) => client.heard !== "").length;
    assert.ok(greeted > 0 && greeted < 60, `${greeted} greeted`);
    for (const client of clients) client.close();
    const next = TestClient.openRaw(port);
    assert.match(await next.reply(), /^220 /);
    next.close();
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
