/** Commands that set a server up on this machine, and take it down. */
import { type Command, InvalidArgumentError } from "commander";
import { isAddress } from "../../config/names.ts";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

const UP_HELP = `
As root: ports 25, 587 and 465, /etc/bulkhead, /var/lib/bulkhead, a user for
each role, a service. As an ordinary user: ports 2525 to 2528 on the loopback,
~/.local/share/bulkhead, no service. A certificate for the host's name that
certbot(1) keeps is found. Run again, it changes nothing that is right, mends
what is missing, and keeps what was edited.

Exit codes: 0 it runs, 1 it runs and something is wrong, 64 wrong usage, 75 another server holds a port,
78 something must be mended first.`;

const DOWN_HELP = `
Removes the service, links, configuration and runtime that up made, and puts
back what it moved aside. Files that were edited stay, and so do mail, queue,
mailboxes and the users that own them, until --purge-mail.`;

const CHECK_HELP = `
Looks at configuration, walls, ports, disk, queue, certificate, service and
clock; asks the DNS, by the role dns in its jail, for this server's own
records; tries its own port 25 as a stranger, and one connection to somebody
else's. What cannot be known from inside is said to be so.

Exit codes: 0 nothing is wrong, 1 mail does not come or go as it should,
78 the server cannot start.`;

/** `up`, `down`, `check`. */
export function addUpCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  withNetwork(withJson(withPlaces(program.command("up"))))
    .description("make a working mail server on this machine, and start it")
    .argument("<domain>", "the domain whose mail ends here")
    .option(
      "--user <name>",
      "a mailbox, NAME or NAME@DOMAIN; may be repeated",
      repeated,
      [],
    )
    .option("--password-file <file>", "their password, on its first line")
    .option("--hostname <name>", "this server's own name; mx.DOMAIN otherwise")
    .option("--cert <file>", "its certificate with the chain, PEM")
    .option("--key <file>", "the certificate's key, PEM")
    .option("--ports <n>", "first of four loopback ports instead", port)
    .option("--links", "move another mail server's sendmail aside")
    .option("--dry-run", "only say what it would do")
    .addHelpText("after", UP_HELP)
    .action(async (domain, options) =>
      ended(
        await (await import("./up.ts")).up(domain, {
          ...options,
          links: options.links === true,
          offline: options.offline === true,
          dryRun: options.dryRun === true,
          json: options.json === true,
        }, programs),
      )
    );
  withJson(withPlaces(program.command("down")))
    .description("remove what up made, and keep the mail")
    .option("--purge-mail", "remove the mail, too, after a question")
    .option("--yes", "do not ask")
    .addHelpText("after", DOWN_HELP)
    .action(async (options) =>
      ended(
        await (await import("./down.ts")).down({
          ...options,
          purgeMail: options.purgeMail === true,
          yes: options.yes === true,
          json: options.json === true,
        }, programs),
      )
    );
  addCheckCommand(program, { programs, ended });
}

function addCheckCommand(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  withNetwork(withJson(withConfig(program.command("check"))))
    .description("say what is wrong with the server, and how to mend each")
    .addHelpText("after", CHECK_HELP)
    .action(async (options) =>
      ended(
        await (await import("./check.ts")).check({
          ...options,
          offline: options.offline === true,
          json: options.json === true,
        }, programs),
      )
    );
}

/** What the network is asked. */
function withNetwork(command: Command): Command {
  return command
    .option(
      "--address <address>",
      "a public address of it that the machine does not know; may be repeated",
      publicAddress,
      [],
    )
    .option(
      "--reach <domain>",
      "whose port 25 to try: one connection, and nothing is said",
      "gmail.com",
    )
    .option("--offline", "ask the network nothing");
}

/** Where it lies: what root and others usually have is up to the command. */
function withPlaces(command: Command): Command {
  return command
    .option("-c, --config <file>", "where the configuration lies")
    .option("--home <dir>", "where everything else lies");
}

function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function publicAddress(value: string, before: readonly string[]): string[] {
  if (!isAddress(value)) {
    throw new InvalidArgumentError("It must be an IPv4 or IPv6 address.");
  }
  return [...before, value];
}

function port(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1 || n > 65_532) {
    throw new InvalidArgumentError("It must be a port from 1 to 65532.");
  }
  return n;
}
