/** A real name server, for tests: nsd with zones of its own on the loopback. */
const NSD = "/usr/sbin/nsd";

/** True if nsd is installed. */
export const hasNsd = await Deno.stat(NSD).then(() => true, () => false);

/** What it serves, and where. */
export interface NsdOptions {
  /** Texts by name; of a zone without one nothing can be said. */
  readonly zones: Readonly<Record<string, string | undefined>>;
  /** 127.0.0.1 if not given. */
  readonly address?: string;
  /** Any that is free, if not given. */
  readonly port?: number;
}

/** Runs nsd while `use` asks it. */
export async function withNsd(
  { zones, address = "127.0.0.1", port = freePort() }: NsdOptions,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-nsd-" });
  let conf = `server:
  ip-address: ${address}@${port}
  username: ""
  zonesdir: "${dir}"
  database: ""
  pidfile: "${dir}/pid"
  xfrdfile: "${dir}/xfrd"
  zonelistfile: "${dir}/zones"
  xfrdir: "${dir}"
remote-control:
  control-enable: no
`;
  for (const [name, text] of Object.entries(zones)) {
    conf += `zone:\n  name: ${name}\n  zonefile: ${name}.zone\n`;
    if (text !== undefined) {
      await Deno.writeTextFile(`${dir}/${name}.zone`, text);
    }
  }
  await Deno.writeTextFile(`${dir}/nsd.conf`, conf);
  const nsd = new Deno.Command(NSD, {
    args: ["-d", "-c", `${dir}/nsd.conf`],
    stderr: "null",
    stdout: "null",
  }).spawn();
  try {
    await listening(address, port);
    await use(port);
  } finally {
    nsd.kill("SIGTERM");
    await nsd.status;
    await Deno.remove(dir, { recursive: true });
  }
}

function freePort(): number {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (probe.addr as Deno.NetAddr).port;
}

async function listening(hostname: string, port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("Cannot reach nsd");
}
