/**
 * The provider's password: read from the file that the configuration names,
 * and what is doubtful about where it lies.
 */
import type { Config } from "../config/settings.ts";
import { passwordFault } from "../login/prepare.ts";

/** Most octets of the file. */
const MAX_FILE = 4_096;

/** The password, or what is wrong; null if none is wanted. */
export type PasswordRead =
  | { readonly ok: true; readonly password: string | null }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Reads it: the file's first line, or what stands in the configuration.
 *
 * @param cannotRead Words why a file cannot be read
 */
export function readSmarthostPassword(
  { outbound }: Pick<Config, "outbound">,
  cannotRead: (path: string, error: unknown) => string,
): PasswordRead {
  const path = outbound.smarthost_password_file;
  if (path === null) {
    return { ok: true, password: outbound.smarthost?.password ?? null };
  }
  let text: string;
  try {
    const { size, isFile } = Deno.statSync(path);
    if (!isFile || size > MAX_FILE) {
      const what = isFile ? "is too large for a password" : "is no file";
      return { ok: false, faults: [`${path} ${what}`] };
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    return { ok: false, faults: [cannotRead(path, error)] };
  }
  const line = text.split("\n")[0]!;
  const password = line.endsWith("\r") ? line.slice(0, -1) : line;
  const fault = passwordFault(password);
  return fault === undefined
    ? { ok: true, password }
    : { ok: false, faults: [`${path}: ${fault}`] };
}

/** Warnings about who may read the password. */
export function smarthostDoubts(
  { outbound }: Pick<Config, "outbound">,
  configPath: string,
): string[] {
  const path = outbound.smarthost_password_file ??
    (outbound.smarthost?.password == null ? null : configPath);
  if (path === null) return [];
  const { mode } = Deno.statSync(path);
  return mode !== null && (mode & 0o007) !== 0
    ? [
      `${path} holds the password for outbound.smarthost, and everybody on ` +
      "this machine may read it: chmod 600 it" +
      (path === configPath
        ? ", or put the password into outbound.smarthost_password_file"
        : ""),
    ]
    : [];
}
