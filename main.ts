/**
 * Bulkhead: argv -> command. The only file that knows every role.
 *
 * What the supervisor starts are not modules of a checkout, which a role's
 * user may not be able to read, but programs of one file each, with no code
 * in them but their own: `installation.ts` bundles them from this table.
 */
import { isSendmail, sendmail } from "./mod/submit/sendmail.ts";

/** Every program that runs in a jail, and where its `main()` is. */
const PROGRAMS = {
  jail: "./mod/walls/jail_main.ts",
  hostile: "./mod/walls/drill/hostile.ts",
  inspect: "./mod/queue/inspect_main.ts",
  "inspect-spool": "./mod/spool/inspect_main.ts",
  "inspect-gate": "./mod/gate/inspect_main.ts",
  smtpd: "./mod/smtpd/main.ts",
  submission: "./mod/smtpd/submission_main.ts",
  resolve: "./mod/resolve/main.ts",
  spool: "./mod/spool/main.ts",
  queue: "./mod/queue/main.ts",
  gate: "./mod/gate/main.ts",
  maildir: "./mod/maildir/main.ts",
  shred: "./mod/shred/main.ts",
  sync: "./mod/sync/main.ts",
  smtpc: "./mod/smtpc/main.ts",
  dns: "./mod/dns/main.ts",
  sts: "./mod/sts/main.ts",
  dial: "./mod/dial/main.ts",
  auth: "./mod/auth/main.ts",
  pickup: "./mod/submit/main.ts",
  console: "./web/main.ts",
} as const;

/** The table with URLs, for the command line and for `scripts/`. */
export const programs: ReadonlyMap<string, string> = new Map(
  Object.entries(PROGRAMS).map(([name, path]) => [
    name,
    // Bundled ourselves, the programs lie beside us.
    import.meta.resolve(
      import.meta.url.endsWith(".mjs") ? `./${name}.mjs` : path,
    ),
  ]),
);

/** Loaded when it is needed: `sendmail`, which starts for each message, does not. */
async function commandLine(args: readonly string[]): Promise<number> {
  const { run } = await import("./mod/supervisor/commands/cli.ts");
  return await run(args, programs);
}

if (import.meta.main) {
  Deno.exit(
    isSendmail(Deno.args[0])
      ? await sendmail(Deno.args, commandLine)
      : await commandLine(Deno.args),
  );
}
