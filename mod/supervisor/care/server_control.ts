/** A running server, started again by whoever started it. */
import { readStatus, type Status } from "../status_file.ts";
import { stopProcess, succeeds } from "../up/service.ts";
import { waitFor } from "../wait_for.ts";
import type { ServerControl } from "./switch_program.ts";

const READY_WITHIN_MS = 90_000;
/** Whoever looks after a server has started another by then. */
const OTHERS_WITHIN_MS = 3_000;
/** A server that is not there for so long will not come. */
const GONE_FOR_MS = 15_000;

/** What starts it. */
type Manager = "systemd" | "openrc" | "somebody";

/**
 * The server of a home.
 *
 * @param start The command that starts it where nobody else does
 */
export function serverControl(
  runDir: string,
  start: readonly string[],
): ServerControl {
  let before = readStatus(runDir)?.pid;
  const manager = managerOf(before);
  const log = logOf(before);
  return {
    isRunning: () => readStatus(runDir) !== undefined,
    async restart() {
      before = readStatus(runDir)?.pid;
      if (manager === "systemd") {
        succeeds("systemctl", "reset-failed", "bulkhead.service");
        succeeds("systemctl", "restart", "--no-block", "bulkhead.service");
        return;
      }
      if (manager === "openrc") {
        succeeds("rc-service", "bulkhead", "restart");
        return;
      }
      const next = await waiting(log, start);
      await stopProcess(runDir);
      const another = before === undefined ? undefined : await waitFor(
        () => otherThan(readStatus(runDir), before),
        OTHERS_WITHIN_MS,
      );
      await next(another === undefined);
    },
    async stop() {
      if (manager === "systemd") {
        succeeds("systemctl", "stop", "bulkhead.service");
      } else if (manager === "openrc") {
        succeeds("rc-service", "bulkhead", "stop");
      }
      await stopProcess(runDir);
    },
    async becomesReady() {
      const old = before;
      let lastMs = Date.now();
      const ready = await waitFor(() => {
        const now = otherThan(readStatus(runDir), old);
        if (now !== undefined) lastMs = Date.now();
        if (now?.ready === true) return "ready";
        return Date.now() > lastMs + GONE_FOR_MS ? "gone" : undefined;
      }, READY_WITHIN_MS);
      return ready === "ready";
    },
  };
}

function otherThan(
  status: Status | undefined,
  pid: number | undefined,
): Status | undefined {
  return status !== undefined && status.pid !== pid ? status : undefined;
}

/** By the control group in which it runs, which nobody can mistake. */
function managerOf(pid: number | undefined): Manager {
  if (pid === undefined) return "somebody";
  let group = "";
  try {
    group = Deno.readTextFileSync(`/proc/${pid}/cgroup`);
  } catch {
    return "somebody";
  }
  if (group.includes("/bulkhead.service")) return "systemd";
  return group.includes("/openrc.bulkhead") ||
      succeeds("rc-service", "bulkhead", "status")
    ? "openrc"
    : "somebody";
}

/** Where a server's standard error goes, by a name that outlives it. */
function logOf(pid: number | undefined): string {
  if (pid === undefined) return "";
  try {
    const path = Deno.readLinkSync(`/proc/${pid}/fd/2`);
    return path.startsWith("/") ? path : `/proc/${pid}/fd/2`;
  } catch {
    return ""; // it ended, or is somebody else's
  }
}

// It opens the running server's standard error, before that server ends, and
// starts the next one when it is told to: in a session of its own, so that
// neither our end nor the terminal's is its end.
const WAITING = `log=$1; shift
if [ -e "$log" ] && (: >>"$log") 2>/dev/null; then exec 2>>"$log"; fi
echo here
read -r go || exit 0
exec "$@" </dev/null >/dev/null`;

async function waiting(
  log: string,
  start: readonly string[],
): Promise<(isWanted: boolean) => Promise<void>> {
  const child = new Deno.Command("setsid", {
    args: ["/bin/sh", "-c", WAITING, "sh", log, ...start],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return async (isWanted) => {
    const writer = child.stdin.getWriter();
    if (isWanted) await writer.write(new TextEncoder().encode("go\n"));
    await writer.close();
    child.unref();
  };
}
