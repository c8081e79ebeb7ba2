/** A whole installation in a temporary home, for tests with real jails. */
import type { Site } from "../walls/manifest.ts";
import type { Installation } from "../walls/render.ts";
import { accountsFromRange, DEFAULT_UID_BASE } from "./accounts.ts";
import { makePlaces, placesOf } from "./home.ts";
import { describeInstallation, isRoot, placeRuntime } from "./installation.ts";
import { pathsOf } from "./plan.ts";

/** The installation, and the way to get rid of it. */
export interface JailFixture extends Disposable {
  /** A directory of mode 0700 with `home` and the file `beside` in it. */
  readonly cover: string;
  readonly site: Site;
  readonly installation: Installation;
}

// As the program's own `main.ts`, but that it also listens as a role would.
const PROGRAM = `
import net from "node:net";
switch (Deno.args[0]) {
  case "jail":
    (await import("${url("../walls/jail.ts")}")).enterJail(
      JSON.parse(Deno.args[1]),
    );
    break;
  case "hostile":
    await (await import("${url("../walls/drill/hostile.ts")}")).main();
    break;
  case "listen": {
    const server = net.createServer((socket) => socket.end("hello"));
    server.on("close", () => console.log("closed"));
    server.listen({ fd: Number(Deno.args[1]) }, () => console.log("listening"));
    for await (const _ of Deno.stdin.readable) server.close();
    break;
  }
}
`;

/** Makes an installation; users come from the UID range if we are root. */
export async function installForTests(): Promise<JailFixture> {
  const cover = Deno.makeTempDirSync({ prefix: "bulkhead-jail-" });
  Deno.writeTextFileSync(`${cover}/beside`, "");
  const home = `${cover}/home`;
  const accounts = isRoot() ? accountsFromRange(DEFAULT_UID_BASE) : null;
  const paths = pathsOf(home);
  makePlaces(placesOf(paths), accounts);
  const runtime = placeRuntime(home);
  const bundle = await bundleProgram(home);
  const installation = describeInstallation({
    home,
    runtime,
    program: () => bundle,
    accounts,
  });
  return {
    cover,
    installation,
    site: {
      home,
      spoolDir: paths.spoolDir,
      spentDir: paths.spentDir,
      queueDir: paths.queueDir,
      dropDir: paths.dropDir,
      eventsDir: paths.eventsDir,
      gateDir: paths.gateDir,
      stsDir: paths.stsDir,
      mailDir: paths.mailDir,
      authDir: paths.authDir,
      runDir: paths.runDir,
      nextHops: [{ host: "127.0.0.1", port: 2_600 }],
      nextHopSockets: [],
      sources: [],
      nameservers: ["127.0.0.1"],
      dnsPort: 53,
      dnsRecurses: false,
      outboundPort: 25,
      mtaSts: true,
      stsPort: 443,
      ipv6: true,
      smtpdProcesses: 2,
      libc: installation.libc,
    },
    [Symbol.dispose]: () => Deno.removeSync(cover, { recursive: true }),
  };
}

async function bundleProgram(home: string): Promise<string> {
  const main = `${home}/runtime/main.ts`;
  const bundle = `${home}/runtime/bulkhead-test.mjs`;
  Deno.writeTextFileSync(main, PROGRAM);
  const run = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-config", "--output", bundle, main],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!run.success) throw new Error(new TextDecoder().decode(run.stderr));
  Deno.chmodSync(bundle, 0o644);
  return bundle;
}

function url(path: string): string {
  return new URL(path, import.meta.url).href;
}
