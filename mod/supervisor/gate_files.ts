/**
 * Reads the files of networks and access tables that the configuration names,
 * and finds every mistake in them, with its line. The gate gets their text
 * and reads it with the same parsers: it opens no file of an administrator's.
 */
import {
  type AccessKind,
  type LineFault,
  parseAccessTable,
} from "../config/access_table.ts";
import { parseNetworkList } from "../config/network_list.ts";
import type { Config } from "../config/settings.ts";

/** A file as it was read. */
export interface GateFile {
  readonly path: string;
  readonly text: string;
}

/** All files of the gate. */
export interface GateFiles {
  readonly allowFile: GateFile | null;
  readonly denyFile: GateFile | null;
  readonly access: Readonly<Record<AccessKind, readonly GateFile[]>>;
}

/** What stands for no files at all. */
export const NO_GATE_FILES: GateFiles = {
  allowFile: null,
  denyFile: null,
  access: { client: [], helo: [], sender: [], recipient: [] },
};

/** Largest file, and largest sum of them, in octets. */
const MAX_FILE = 16 * 1024 * 1024;
const MAX_SUM = 24 * 1024 * 1024;

/**
 * Reads them all.
 *
 * @param cannotRead Words why a file cannot be read
 */
export function readGateFiles(
  config: Config,
  cannotRead: (path: string, error: unknown) => string,
): { ok: true; files: GateFiles } | { ok: false; faults: string[] } {
  const faults: string[] = [];
  let sum = 0;
  const read = (
    path: string,
    check: (text: string) => readonly LineFault[],
  ): GateFile => {
    try {
      const { size, isFile } = Deno.statSync(path);
      // A FIFO would be waited for without end, and a device has none.
      if (!isFile) {
        faults.push(`${path} is no ordinary file`);
        return { path, text: "" };
      }
      sum += size;
      if (size > MAX_FILE || sum > MAX_SUM) {
        faults.push(
          `${path} is too large: ${MAX_FILE} octets are possible in one ` +
            `file, and ${MAX_SUM} in all of them`,
        );
        return { path, text: "" };
      }
      const text = Deno.readTextFileSync(path);
      for (const { line, message } of check(text)) {
        faults.push(`${path}:${line}: ${message}`);
      }
      return { path, text };
    } catch (error) {
      faults.push(cannotRead(path, error));
      return { path, text: "" };
    }
  };
  const networks = (path: string | null) =>
    path === null ? null : read(path, (text) => parseNetworkList(text).faults);
  const tables = (kind: AccessKind) =>
    config.access[kind].map((path) =>
      read(path, (text) => parseAccessTable(kind, text).faults)
    );
  const files: GateFiles = {
    allowFile: networks(config.screening.allow_file),
    denyFile: networks(config.screening.deny_file),
    access: {
      client: tables("client"),
      helo: tables("helo"),
      sender: tables("sender"),
      recipient: tables("recipient"),
    },
  };
  return faults.length === 0 ? { ok: true, files } : { ok: false, faults };
}
