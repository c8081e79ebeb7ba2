import assert from "node:assert/strict";
import { readStatus, type Status, writeStatus } from "./status_file.ts";

const status: Status = {
  pid: Deno.pid,
  startedMs: 1,
  ready: true,
  hostname: "mx.home.test",
  version: "0.1.0",
  memoryBytes: 6,
  warnings: ["a disk is full"],
  roles: [{
    instance: "smtpd.0",
    state: "ready",
    pid: 2,
    restarts: 3,
    errors: 1,
    logged: { error: 2, warning: 3 },
    upMs: 4,
    memoryBytes: 0,
    counters: { accepted: 5 },
  }],
};

function withDir(body: (dir: string) => void | Promise<void>) {
  return async () => {
    const dir = await Deno.makeTempDir();
    try {
      await body(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  };
}

Deno.test(
  "readStatus reads what writeStatus wrote, and no part file is left",
  withDir((dir) => {
    writeStatus(dir, { ...status, ready: false });
    writeStatus(dir, status);
    assert.deepEqual(readStatus(dir), status);
    assert.deepEqual([...Deno.readDirSync(dir)].map((one) => one.name), [
      "status.json",
    ]);
  }),
);

Deno.test(
  "readStatus finds no server where none is",
  withDir((dir) => {
    assert.equal(readStatus(dir), undefined);
    Deno.writeTextFileSync(`${dir}/status.json`, '{"pid":');
    assert.equal(readStatus(dir), undefined);
  }),
);

Deno.test(
  "readStatus finds no server when its process is dead",
  withDir(async (dir) => {
    const child = new Deno.Command("true").spawn();
    writeStatus(dir, { ...status, pid: child.pid });
    await child.status;
    assert.equal(readStatus(dir), undefined);
  }),
);

Deno.test(
  "writeStatus survives a directory that is gone",
  withDir((dir) => writeStatus(`${dir}/no`, status)),
);
