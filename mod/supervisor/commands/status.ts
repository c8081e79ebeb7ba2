/** `bulkhead status`: is it running, and how are its roles? */
import { isWell } from "../../../web/news.ts";
import { visible } from "../../core/visible.ts";
import type { Formats } from "../../core/formats.ts";
import { readFormat } from "../care/format_file.ts";
import { pathsOf } from "../plan.ts";
import { readConfig } from "../site_io.ts";
import { readStatus, type Status } from "../status_file.ts";
import { EXIT, failToOpen, print } from "./exit.ts";

/** Prints the status; exit code 1 if no server runs or a role is not ready. */
export function status(configPath: string, json: boolean): number {
  const read = readConfig(configPath);
  if (!read.ok) return failToOpen(read);
  const { runDir, home } = pathsOf(read.config.server.home);
  const found = readStatus(runDir);
  if (found === undefined) {
    print(
      json,
      { running: false, home, formats: formatsOf(home) },
      () => `No server runs on ${home}. \`bulkhead serve\` starts one.`,
    );
    return EXIT.no;
  }
  const data = { running: true, home, formats: formatsOf(home), ...found };
  print(json, data, () => table(found));
  return found.ready && found.roles.every(isWell) ? EXIT.ok : EXIT.no;
}

/** Of what versions the home is; null if its format file cannot be read. */
function formatsOf(home: string): Formats | null {
  const found = readFormat(home);
  return found.kind === "unreadable" ? null : found.format.versions;
}

function table(found: Status): string {
  const up = Math.round((Date.now() - found.startedMs) / 1_000);
  const lines = [
    `${found.hostname}: ${found.ready ? "ready" : "starting"}, ` +
    `up ${duration(up)}, version ${found.version}, supervisor ${found.pid}, ` +
    `${memory(inAll(found))} in all`,
    ...found.warnings.map((one) => `warning: ${one}`),
    "",
    row("ROLE", "STATE", "PID", "UP", "MEMORY", "RESTARTS", "COUNTERS"),
  ];
  for (const role of found.roles) {
    lines.push(row(
      role.instance,
      role.state,
      String(role.pid ?? "-"),
      duration(Math.round(role.upMs / 1_000)),
      memory(role.memoryBytes),
      String(role.restarts),
      Object.entries(role.counters).map(([name, n]) => `${name} ${n}`)
        .join(", "),
    ));
  }
  // A role names its counters itself, and this goes to a terminal.
  return lines.map((line) => visible(line, "?")).join("\n");
}

/** The sum of all processes; what is not known counts as nothing. */
function inAll({ memoryBytes, roles }: Status): number {
  return roles.reduce((sum, one) => sum + one.memoryBytes, memoryBytes);
}

function memory(octets: number): string {
  return octets === 0 ? "?" : `${Math.round(octets / 1_048_576)} MiB`;
}

function row(...cells: string[]): string {
  const widths = [12, 9, 8, 9, 9, 9, 0];
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" ")
    .trimEnd();
}

/** Seconds as people say them: `42s`, `3m05s`, `2h10m`, `5d03h`. */
export function duration(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}
