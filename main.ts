/**
 * Bulkhead: argv -> command or role. The only file that knows every role.
 *
 * `role`, `jail`, `hostile` and `inspect` are what the supervisor starts;
 * everything else is for people, in `mod/supervisor/commands/`.
 */
const [word, name] = Deno.args;

switch (word) {
  case "jail": {
    const { enterJail } = await import("./mod/walls/jail.ts");
    enterJail(JSON.parse(name ?? ""));
    break;
  }
  case "role":
    await (await roleModule(name)).main();
    break;
  case "hostile":
    await (await import("./mod/walls/drill/hostile.ts")).main();
    break;
  case "inspect":
    (await import("./mod/queue/inspect_main.ts")).main(Deno.args.slice(1));
    break;
  default: {
    const { run } = await import("./mod/supervisor/commands/cli.ts");
    Deno.exit(await run(Deno.args, import.meta.url));
  }
}

/** Loads a role's code, and no other role's. */
function roleModule(
  role: string | undefined,
): Promise<{ main(): Promise<void> | void }> {
  switch (role) {
    case "smtpd":
      return import("./mod/smtpd/main.ts");
    case "resolve":
      return import("./mod/resolve/main.ts");
    case "spool":
      return import("./mod/spool/main.ts");
    case "queue":
      return import("./mod/queue/main.ts");
    case "maildir":
      return import("./mod/maildir/main.ts");
    case "sync":
      return import("./mod/sync/main.ts");
    case "smtpc":
      return import("./mod/smtpc/main.ts");
    case "dns":
      return import("./mod/dns/main.ts");
    case "dial":
      return import("./mod/dial/main.ts");
    case "console":
      return import("./web/main.ts");
    default:
      throw new RangeError(`Cannot start role ${role}: there is none`);
  }
}
