import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { awaitAlone } from "./copies_io.ts";
import { databasePath, openDatabase, QueueUnusable } from "./database_io.ts";
import { tempDir } from "./laboratory.ts";

Deno.test("awaitAlone() waits for whoever has the database open, reading or writing, and not for ever", async () => {
  const dir = tempDir();
  const path = databasePath(dir);
  await awaitAlone(path);
  const writer = openDatabase(dir);
  writer.exec("UPDATE clock SET last_ms = 7");
  await assert.rejects(
    awaitAlone(path, 150),
    (error) =>
      error instanceof QueueUnusable && /open still/.test(error.message),
  );
  setTimeout(() => writer.close(), 200);
  await awaitAlone(path, 10_000);
  const reader = new DatabaseSync(path, { readOnly: true });
  reader.prepare("SELECT * FROM clock").all();
  await assert.rejects(awaitAlone(path, 150), QueueUnusable);
  reader.close();
  await awaitAlone(path, 150);
});
