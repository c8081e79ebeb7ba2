/**
 * The command line, as commander sees it. Each command is a file beside this
 * one and returns its exit code; nothing is decided here.
 */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { settingsHelp } from "../../config/document.ts";
import { EXIT } from "./exit.ts";
import type { Ordering } from "./queue_order.ts";

const SHRED_EXAMPLES = `
Examples:
  bulkhead shred letter.txt          overwrite, sync, read back, remove
  bulkhead shred --keep disk.img     overwrite, and leave the file there
  bulkhead shred --passes 3 -- -x    three passes, each synced, over a file -x
  bulkhead shred ./status            a file with a command's name

One pass of random octets is enough on any disk made this century. What it is
worth depends on the file system, and is said for each file; where it would
erase nothing (btrfs, zfs), nothing is written. Holes of a sparse file are not
filled: stretches of 1 MiB that read all zero are left alone. A file is removed
only after everything before that succeeded.`;

const TLS_HELP = `
Looks up MX, addresses, TLSA records and the MTA-STS policy, each with what
DNSSEC says of it, connects to every host as a delivery would, and says goodbye
after the TLS handshake. The server need not run.

Exit codes: 0 mail would be delivered as the profile wants it, 1 it would wait,
66 it would be returned (no such domain, or one that takes no mail).`;

const DEFAULT_CONFIG = "/etc/bulkhead/bulkhead.toml";

/**
 * Runs a command.
 *
 * @param args Arguments after the program's name
 * @param programs URLs of the programs' modules, by name
 * @returns The exit code
 */
export async function run(
  args: readonly string[],
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  let code: number = EXIT.ok;
  const program = build(programs, (value) => code = value);
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    throw error;
  }
}

type Ended = (code: number) => void;

function build(programs: ReadonlyMap<string, string>, ended: Ended): Command {
  const program = new Command("bulkhead")
    .description("A mail server in compartments.")
    .version("0.1.0")
    .showHelpAfterError("(see --help)")
    // An option belongs to the last command before it: `shred --json FILE`
    // and `shred status --json` are two.
    .enablePositionalOptions()
    .exitOverride();
  addServerCommands(program, programs, ended);
  addUserCommands(program, ended);
  addQueueCommands(program, programs, ended);
  addClientCommands(program, programs, ended);
  addTlsCommand(program, programs, ended);
  addShredCommands(program, programs, ended);
  addConfigCommands(program, ended);
  return program;
}

/** `--config FILE`, which nearly every command takes. */
function withConfig(command: Command): Command {
  return command.option(
    "-c, --config <file>",
    "the configuration file",
    DEFAULT_CONFIG,
  );
}

function withJson(command: Command): Command {
  return command.option("--json", "print data for a script");
}

function addServerCommands(
  program: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  program.command("init")
    .description("make an installation in a directory")
    .argument("<dir>", "where everything will lie")
    .requiredOption("--hostname <name>", "this server's own name")
    .requiredOption(
      "--domain <name>",
      "a domain whose mail ends here; may be repeated",
      repeated,
    )
    .option(
      "--user <name>",
      "a mailbox, NAME or NAME@DOMAIN; may be repeated",
      repeated,
      [],
    )
    .option("--password-file <file>", "their password, on its first line")
    .option(
      "--ports <n>",
      "first of four loopback ports: SMTP, submission, submissions, console",
      port,
      2525,
    )
    .option(
      "--route <domain=host:port>",
      "where mail for another domain goes; may be repeated",
      repeated,
      [],
    )
    .action(async (dir, options) =>
      ended((await import("./init.ts")).init(dir, options))
    );
  withConfig(program.command("serve"))
    .description(
      "run the server until SIGTERM; SIGHUP reads the configuration, users and " +
        "tables anew",
    )
    .addHelpText(
      "after",
      () => `\nSettings of the file and their defaults:\n${settingsHelp()}`,
    )
    .action(async ({ config }) =>
      ended(await (await import("./serve.ts")).serve(config, programs))
    );
  withJson(withConfig(program.command("check")))
    .description("look for everything that would keep the server from working")
    .action(async ({ config, json }) =>
      ended(
        await (await import("./check.ts")).check(
          config,
          json === true,
          programs,
        ),
      )
    );
  withJson(withConfig(program.command("status")))
    .description("say how the running server and its roles are")
    .action(async ({ config, json }) =>
      ended((await import("./status.ts")).status(config, json === true))
    );
  withJson(withConfig(program.command("roles")))
    .description("print every role's manifest and the walls it became")
    .action(async ({ config, json }) =>
      ended(
        await (await import("./roles.ts")).roles(
          config,
          json === true,
          programs,
        ),
      )
    );
  withJson(withConfig(program.command("drill")))
    .description("break in to every role and see that nothing gives")
    .action(async ({ config, json }) =>
      ended(
        await (await import("./drill.ts")).drill(
          config,
          json === true,
          programs,
        ),
      )
    );
}

function addUserCommands(program: Command, ended: Ended): void {
  const user = program.command("user").description("manage mailboxes");
  const load = () => import("./user.ts");
  const password = (command: Command) =>
    command.option(
      "--password-file <file>",
      "the password, on its first line; else one is made and shown",
    );
  password(withJson(withConfig(user.command("add"))))
    .description("make a mailbox")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).add(address, options))
    );
  withJson(withConfig(user.command("list")))
    .description("list the mailboxes")
    .action(async (options) => ended((await load()).list(options)));
  withJson(withConfig(user.command("remove")))
    .description(
      "remove a mailbox and its passwords; its mail stays on the disk",
    )
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).remove(address, options))
    );
  password(withJson(withConfig(user.command("passwd"))))
    .description("change a mailbox's password")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).passwd(address, options))
    );
  addAppPasswordCommands(user, ended);
}

function addAppPasswordCommands(user: Command, ended: Ended): void {
  const app = user.command("app-password")
    .description("manage passwords of single programs, such as a phone's mail");
  const load = () => import("./app_password.ts");
  withJson(withConfig(app.command("add")))
    .description("make one and show it, once")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .argument("<name>", "what it is for, such as `phone`")
    .action(async (address, name, options) =>
      ended((await load()).add(address, name, options))
    );
  withJson(withConfig(app.command("list")))
    .description("list a user's")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).list(address, options))
    );
  withJson(withConfig(app.command("remove")))
    .description("take one back; the others go on")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .argument("<name>", "as `list` has it")
    .action(async (address, name, options) =>
      ended((await load()).remove(address, name, options))
    );
}

function addQueueCommands(
  program: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  const queue = program.command("queue").description(
    "look into the queue, and say what becomes of messages in it",
  );
  const load = () => import("./queue.ts");
  withJson(withConfig(queue.command("list")))
    .description("list the messages that are not delivered yet")
    .action(async ({ config, json }) =>
      ended(
        await (await load()).queue(config, json === true, programs, ["list"]),
      )
    );
  withJson(withConfig(queue.command("show")))
    .description("tell everything about one message")
    .argument("<id>", "the queue id, as in `queued as ID`")
    .action(async (id, { config, json }) =>
      ended(
        await (await load()).queue(config, json === true, programs, [
          "show",
          id,
        ]),
      )
    );
  addQueueOrders(queue, programs, ended);
}

const IDS = "queue ids; or ALL; or - for a list on standard input";

/** What changes messages in the queue: orders that the queue carries out. */
function addQueueOrders(
  queue: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  const give = async (
    { config, json }: { config: string; json?: boolean },
    what: Ordering,
  ) => {
    const { queueOrder } = await import("./queue_order.ts");
    await ended(await queueOrder(config, json === true, programs, what));
  };
  withJson(withConfig(queue.command("flush")))
    .description(
      "try what waits now: all of it, or what is for one domain; a server " +
        "that is remembered as dead is tried, too",
    )
    .argument("[domain]", "the recipients' domain")
    .action((domain, options) =>
      give(options, { action: "flush", ids: [], domain })
    );
  for (
    const [action, says] of [
      ["hold", "deliver it no more until it is released"],
      ["release", "deliver what is on hold"],
      ["retry", "try it now, and not when its wait is over"],
      ["expire", "give it up: its sender gets a notice that it failed"],
      ["delete", "remove it, key, content and all; its sender hears nothing"],
    ] as const
  ) {
    withJson(withConfig(queue.command(action)))
      .description(says)
      .argument("<id...>", IDS)
      .action((ids, options) => give(options, { action, ids }));
  }
  withJson(withConfig(queue.command("reroute")))
    .description(
      "send it another way than its routes lead, all its recipients, now",
    )
    .usage("[options] <id...> <next hop>")
    .argument("<id...>", `${IDS}; and then the next hop`)
    .addHelpText(
      "after",
      "\nThe next hop is HOST:PORT, or mx for the MX hosts of each " +
        "recipient's domain,\nor routes to undo it: `queue reroute ID " +
        "relay.test:25`.",
    )
    .action((words: string[], options) =>
      give(options, {
        action: "reroute",
        ids: words.slice(0, -1),
        nextHop: words.at(-1),
      })
    );
}

function addClientCommands(
  program: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  const clients = program.command("client")
    .description("who was refused and why; let clients in, or keep them out");
  const load = () => import("./client.ts");
  withJson(withConfig(clients.command("list")))
    .description("list what is known of clients, newest verdicts first")
    .option("--refused", "only what was refused")
    .action(async ({ config, json, refused }) =>
      ended(
        await (await load()).client({ config, json: json === true }, programs, {
          what: refused === true ? "refused" : "list",
        }),
      )
    );
  for (
    const [what, says] of [
      ["show", "tell everything about one client, or a network"],
      ["allow", "let it in untested, uncounted, at once and for good"],
      ["deny", "refuse it, at once and for good"],
      ["forget", "take that back, and forget what it passed"],
    ] as const
  ) {
    withJson(withConfig(clients.command(what)))
      .description(says)
      .argument("<address>", "ADDRESS or ADDRESS/BITS")
      .action(async (network, { config, json }) =>
        ended(
          await (await load()).client(
            { config, json: json === true },
            programs,
            { what, network },
          ),
        )
      );
  }
}

function addTlsCommand(
  program: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  withJson(withConfig(program.command("tls")))
    .description(
      "say how mail to a domain would go now, how safely, and why; nothing " +
        "of any mail is sent",
    )
    .argument("<domain>", "a domain, an address in it, or host:port")
    .addHelpText("after", TLS_HELP)
    .action(async (domain, { config, json }) =>
      ended(
        await (await import("./tls.ts")).tls(
          { config, json: json === true },
          programs,
          domain,
        ),
      )
    );
}

function addShredCommands(
  program: Command,
  programs: ReadonlyMap<string, string>,
  ended: Ended,
): void {
  const shred = withJson(program.command("shred"))
    .description("erase files by overwriting them in place; see what is erased")
    .argument("[files...]", "files to erase and remove")
    .option("--passes <n>", "how often each is overwritten", passes, 1)
    .option("--keep", "do not remove them")
    .option("--links", "also if a file has more names: they lose it, too")
    .option("--progress", "say how far it is, not only to a terminal")
    .action(async (files, options) =>
      ended(await (await import("./shred.ts")).shred(files, options))
    );
  shred.addHelpText("after", SHRED_EXAMPLES);
  const load = () => import("./shred_status.ts");
  withJson(withConfig(shred.command("status")))
    .description("say what of delivered mail is still to be erased, and where")
    .action(async ({ config, json }) =>
      ended(await (await load()).shredStatus(config, json === true, programs))
    );
  withJson(withConfig(shred.command("verify")))
    .description("look whether everything is erased that should be")
    .action(async ({ config, json }) =>
      ended(await (await load()).shredVerify(config, json === true, programs))
    );
}

function addConfigCommands(program: Command, ended: Ended): void {
  const config = program.command("config").description("about the settings");
  withJson(config.command("doc"))
    .description("print every setting: type, bounds, default, meaning")
    .action(async ({ json }) => {
      const document = await import("../../config/document.ts");
      console.log(
        json === true
          ? JSON.stringify(document.settingsJson(), null, 2)
          : document.configDoc().trimEnd(),
      );
      ended(EXIT.ok);
    });
}

// A required option has no value before its first.
function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function passes(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1 || n > 100) {
    throw new InvalidArgumentError("It must be a number from 1 to 100.");
  }
  return n;
}

function port(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1 || n > 65_532) {
    throw new InvalidArgumentError("It must be a port from 1 to 65532.");
  }
  return n;
}
