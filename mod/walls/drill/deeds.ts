/** How each kind of deed is done, with the means that a role has. */
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import type { Deed, RuntimeFact } from "./deed.ts";
import { Native } from "./native.ts";

type Doing<Kind extends Deed["do"]> = (
  deed: Extract<Deed, { do: Kind }>,
  libc: string,
) => unknown;

/** One function for each kind of {@link Deed}; throws what the walls say. */
export const ALL_DEEDS: { readonly [Kind in Deed["do"]]: Doing<Kind> } = {
  "open": ({ path, write }) =>
    Deno.openSync(path, write ? { write: true } : { read: true }).close(),
  "list": ({ path }) => Deno.readDirSync(path)[Symbol.iterator]().next(),
  "create": ({ path }) => {
    Deno.openSync(path, { write: true, createNew: true }).close();
    Deno.removeSync(path);
  },
  "symlink": ({ path, to }) => {
    Deno.symlinkSync(to, path);
    Deno.removeSync(path);
  },
  "hardlink": ({ path, to }) => {
    Deno.linkSync(to, path);
    Deno.removeSync(path);
  },
  "move": ({ path, to }) => {
    Deno.renameSync(path, to);
    Deno.renameSync(to, path);
  },
  "chmod": ({ path, mode }) => Deno.chmodSync(path, mode),
  "chown": ({ path, uid, gid }) => Deno.chownSync(path, uid, gid),
  "truncate": ({ path, length }) => Deno.truncateSync(path, length),
  "remove-directory": ({ path }) => Deno.removeSync(path),
  "watch": ({ path }) => Deno.watchFs(path).close(),
  "attach": ({ path }) =>
    new DatabaseSync(":memory:").exec(`ATTACH '${path}' AS there`),
  "connect": async ({ host, port }) =>
    (await Deno.connect({ hostname: host, port })).close(),
  "connect-unix": async ({ path }) =>
    (await Deno.connect({ transport: "unix", path })).close(),
  "listen": ({ host, port }) => Deno.listen({ hostname: host, port }).close(),
  "look-up": ({ port }) =>
    Deno.resolveDns("drill.test", "A", {
      nameServer: { ipAddr: "127.0.0.1", port },
    }),
  "fetch": async ({ url }) => await (await fetch(url)).body?.cancel(),
  "import": ({ url }) => import(url),
  "run": ({ path, args }) =>
    new Deno.Command(path, { args: [...args], stdin: "null" }).outputSync(),
  "signal": ({ pid }) => process.kill(pid, 0),
  "load-library": ({ path }) => Deno.dlopen(path, {}).close(),
  "learn": ({ what }) => learn(what),
  "calls": ({ steps }, libc) => native(libc).run(steps),
};

let loaded: Native | undefined;

function native(libc: string): Native {
  return loaded ??= new Native(libc);
}

async function learn(what: RuntimeFact): Promise<void> {
  switch (what) {
    case "environment":
      Deno.env.toObject();
      return;
    case "hostname":
      Deno.hostname();
      return;
    case "memory":
      Deno.systemMemoryInfo();
      return;
    case "interfaces":
      Deno.networkInterfaces();
      return;
    case "release":
      Deno.osRelease();
      return;
    case "inspector":
      (await import("node:inspector")).open(0, "127.0.0.1");
      return;
    case "umask":
      Deno.umask();
      return;
    case "more-rights": {
      const { state } = await Deno.permissions.request({ name: "read" });
      if (state !== "granted") {
        throw new Deno.errors.NotCapable("Requires read access");
      }
      return;
    }
  }
}
