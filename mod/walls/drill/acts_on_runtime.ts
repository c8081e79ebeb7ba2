/** Acts against what Deno guards by itself, and no kernel wall knows. */
import { type DrillAct, triedOnDeno } from "./act.ts";
import type { Targets } from "./targets.ts";

/** All acts on the runtime. */
export function runtimeActs(at: Targets): DrillAct[] {
  return [
    triedOnDeno("read its environment", { do: "learn", what: "environment" }),
    triedOnDeno("learn the host's name", { do: "learn", what: "hostname" }),
    triedOnDeno("learn the host's memory", { do: "learn", what: "memory" }),
    triedOnDeno("learn the host's addresses", {
      do: "learn",
      what: "interfaces",
    }),
    triedOnDeno("learn the kernel's release", { do: "learn", what: "release" }),
    triedOnDeno("open the inspector", { do: "learn", what: "inspector" }),
    triedOnDeno("change the umask", { do: "learn", what: "umask" }),
    triedOnDeno("ask for more rights", { do: "learn", what: "more-rights" }),
    triedOnDeno("load a native library", {
      do: "load-library",
      path: at.library,
    }),
    triedOnDeno("load a secret as code", {
      do: "import",
      url: `file://${at.secret}`,
    }),
    triedOnDeno("watch the home directory", { do: "watch", path: at.home }),
    // Deno forbids ATTACH by SQLite's own limit, so SQLite words the refusal.
    triedOnDeno("open a secret by SQLite's ATTACH", {
      do: "attach",
      path: at.secret,
    }, ["too many attached databases - max 0"]),
  ];
}
