/**
 * A few of the server's roles, in their jails and with the rights they always
 * have, for the time of one command: beside the server, if that runs, and
 * without anything of its. The command asks them over edges of its own.
 */
import { Edge } from "../ipc/edge.ts";
import type { Call, RoleName } from "../ipc/call.ts";
import { openLibc } from "../walls/libc.ts";
import { install } from "./installation.ts";
import type { EdgePlan } from "./roles.ts";
import type { Opened } from "./site_io.ts";
import { type ServerPlan, Supervisor } from "./supervisor.ts";

/** Exit code of a program that was interrupted, as shells have it. */
const INTERRUPTED = 130;
/** fcntl(2): a second descriptor, which no child inherits. */
const F_DUPFD_CLOEXEC = 1_030;
/** Log lines kept for whoever asks why it did not start. */
const MAX_LINES = 20;

/** A small server. */
export interface SmallServer {
  /** An edge to one of its roles, as whoever `asker` is. */
  ask<C extends Record<string, Call>>(
    contract: { readonly role: RoleName; readonly calls: C },
  ): Edge<C>;
}

/**
 * Runs `roles` while `use` asks them.
 *
 * @param options.asks Roles that `use` asks, as `asker`, whom their contracts
 * must know
 * @throws {Error} If they cannot start; the message has their last lines
 */
export async function withSmallServer<T>(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  options: {
    readonly roles: readonly RoleName[];
    readonly asker: RoleName;
    readonly asks: readonly RoleName[];
  },
  use: (server: SmallServer) => Promise<T>,
): Promise<T> {
  const installation = await install(
    opened.paths.home,
    programs,
    opened.accounts,
  );
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-small-" });
  Deno.chmodSync(dir, 0o711); // as the sockets' directory of a server
  const own: EdgePlan[] = options.asks.map((answerer) => ({
    asker: options.asker,
    askerInstance: `${options.asker}.0`,
    answerer,
    path: `${dir}/${options.asker}.0-${answerer}.sock`,
  }));
  const lines: string[] = [];
  const libc = openLibc(installation.libc);
  const supervisor = new Supervisor({
    plan: smallPlan(opened, { dir, own, roles: options.roles }),
    installation,
    libc,
    write: (line) => {
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
    },
  });
  const edges: { close(): void }[] = [];
  const clear = async () => {
    for (const edge of edges) edge.close();
    await supervisor.stop();
    Deno.removeSync(dir, { recursive: true });
  };
  const interrupted = () => void clear().then(() => Deno.exit(INTERRUPTED));
  Deno.addSignalListener("SIGINT", interrupted);
  Deno.addSignalListener("SIGTERM", interrupted);
  try {
    await supervisor.start().catch((error) => {
      throw new Error([String(error.message), ...lines].join("\n"));
    });
    return await use({
      ask: (contract) => {
        const plan = own.find((one) => one.answerer === contract.role)!;
        // A descriptor of its own: an edge closes the one it has, and so does
        // the supervisor, and by then it may be somebody else's.
        const fd = libc.fcntl(supervisor.fdOf(plan), F_DUPFD_CLOEXEC, 0n);
        const edge = new Edge(contract, { fd });
        edges.push(edge);
        return edge;
      },
    });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupted);
    Deno.removeSignalListener("SIGTERM", interrupted);
    await clear();
  }
}

/** The server's own plan, of these roles only, in a directory of its own. */
function smallPlan(
  { plan, accounts }: Opened,
  { dir, own, roles }: {
    dir: string;
    own: readonly EdgePlan[];
    roles: readonly RoleName[];
  },
): ServerPlan {
  // What a role keeps on disk belongs to the server's own instance of it.
  const stsDir = `${dir}/sts`;
  Deno.mkdirSync(stsDir, { mode: 0o700 });
  const owner = accounts?.roles.get("sts");
  if (owner !== undefined) Deno.chownSync(stsDir, owner.uid, owner.gid);
  const parts = new Map(plan.parts);
  const sts = parts.get("sts");
  if (typeof sts === "object" && sts !== null) {
    parts.set("sts", { ...sts, dir: stsDir });
  }
  return {
    ...plan,
    site: { ...plan.site, runDir: dir, stsDir },
    manifests: plan.manifests.filter(({ name }) => roles.includes(name)),
    parts,
    listen: new Map(),
    own,
    restAfterMs: 0,
  };
}
