/** Bulkhead as anybody starts it: `init`, then `serve`. Nothing is tuned. */
import { run, until } from "./command.ts";
import {
  BOX_DOMAIN,
  drainDomain,
  DRAINS,
  FAN_DOMAINS,
  fanDomain,
  fanHost,
  type Ground,
  RELAY_DOMAIN,
  type Server,
} from "./server.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 15_000;

/** Starts it. */
export async function startBulkhead(ground: Ground): Promise<Server> {
  const { dir, port, group } = ground;
  const passwordFile = `${dir}.password`;
  Deno.writeTextFileSync(passwordFile, "bench bench bench\n", { mode: 0o600 });
  await run([
    Deno.execPath(),
    ...["run", "-A", MAIN, "init", dir, "--hostname", "mx.bench.test"],
    ...["--domain", BOX_DOMAIN, "--user", "u"],
    ...["--password-file", passwordFile, "--ports", `${port}`],
    ...routes(ground),
  ]);
  const file = `${dir}/bulkhead.toml`;
  Deno.writeTextFileSync(file, settle(Deno.readTextFileSync(file), ground));
  const log = `${dir}.log`;
  const serve = ["serve", "--config", `${dir}/bulkhead.toml`];
  const child = group.start(
    [Deno.execPath(), "run", "-A", MAIN, ...serve],
    log,
  );
  let ended = false;
  child.status.then(() => ended = true);
  const isReady = await until(
    () => ended || Deno.readTextFileSync(log).includes('"event":"ready"'),
    { withinMs: READY_WITHIN_MS, everyMs: 50 },
  );
  const server: Server = {
    name: "bulkhead",
    says: `Bulkhead ${await version()}`,
    port,
    doors: { plain: port, tls: port, screened: port },
    box: `${dir}/mail/${BOX_DOMAIN}/u/new`,
    group,
    partOf,
    flush: async (domain) => {
      const flush = ["queue", "flush", domain, "--config", file];
      await run([Deno.execPath(), "run", "-A", MAIN, ...flush]);
    },
    stop: async () => {
      if (!ended) child.kill("SIGTERM");
      await until(() => ended, { withinMs: STOPPED_WITHIN_MS });
    },
  };
  if (!isReady || ended) {
    throw new Error(`Cannot start Bulkhead:\n${tail(log)}`);
  }
  return server;
}

/** The file that `init` wrote, with what the measurement needs. */
function settle(file: string, { drainPort }: Ground): string {
  const drains = DRAINS.map((atOnce, i) =>
    `"127.0.0.1:${drainPort + i}" = { max_sessions = ${atOnce} }\n`
  ).join("");
  return file.replace("[destinations]\n", `[destinations]\n${drains}`) +
    // All of the loopback is trusted else, and the gate never asked.
    '\n[screening]\ntrusted = ["127.0.0.1/32"]\ngreet_wait = "1s"\n' +
    "[rates]\nconnections = 0\nconcurrency = 0\n";
}

/** `--route` for each of them. */
function routes({ sinkPort, fanPort, drainPort }: Ground): string[] {
  const all = [`${RELAY_DOMAIN}=127.0.0.1:${sinkPort}`];
  for (let n = 1; n <= FAN_DOMAINS; n++) {
    all.push(`${fanDomain(n)}=${fanHost(n)}:${fanPort}`);
  }
  DRAINS.forEach((atOnce, i) =>
    all.push(`${drainDomain(atOnce)}=127.0.0.1:${drainPort + i}`)
  );
  return all.flatMap((route) => ["--route", route]);
}

async function version(): Promise<string> {
  return await run([Deno.execPath(), "run", "-A", MAIN, "--version"]);
}

function partOf(args: readonly string[]): string {
  const at = args.indexOf("role");
  if (at >= 0) return args[at + 1] ?? "role";
  return args.includes("serve") ? "supervisor" : args[0] ?? "";
}

function tail(log: string): string {
  return Deno.readTextFileSync(log).split("\n").slice(-12).join("\n");
}
