/** The gate's end of `bulkhead backup` and `verify`, in the gate's jail. */
import fs from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { GATE_VERSION, gatePath, GateUnusable } from "./database_io.ts";

const VERBS = ["copy", "forget-copy", "verify"] as const;
type Verb = typeof VERBS[number];

/** True for what {@link careFor} does. */
export function isCare(what: string | undefined): what is Verb {
  return VERBS.some((one) => one === what);
}

/** Does one. The copy is `copy.db` in the directory. */
export async function careFor(dir: string, verb: Verb): Promise<unknown> {
  const copy = `${dir}/copy.db`;
  switch (verb) {
    case "copy":
      forget(copy);
      return { copied: await copyTo(gatePath(dir), copy) };
    case "forget-copy":
      forget(copy);
      return { copied: false };
    case "verify":
      return { version: verify(gatePath(dir)) };
  }
}

async function copyTo(path: string, copy: string): Promise<boolean> {
  if (!fs.existsSync(path)) return false;
  fs.closeSync(fs.openSync(copy, "wx", 0o600));
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    await backup(db, copy, { rate: -1 });
  } finally {
    db.close();
  }
  return true;
}

function forget(copy: string): void {
  for (const end of ["", "-wal", "-shm"]) {
    fs.rmSync(copy + end, { force: true });
  }
}

/** Its version; 0 if there is none. */
function verify(path: string): number {
  if (!fs.existsSync(path)) return 0;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const value = (pragma: string) =>
      Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
    const version = Number(value("user_version"));
    if (version > GATE_VERSION) {
      throw new GateUnusable(`${path} is of a newer version, ${version}`);
    }
    const said = String(value("integrity_check(1)"));
    if (said !== "ok") throw new GateUnusable(`${path} is damaged: ${said}`);
    return version;
  } finally {
    db.close();
  }
}
