/** Commands about the way to other servers. */
import type { Command } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

const TLS_HELP = `
Looks up MX, addresses, TLSA records and the MTA-STS policy, each with what
DNSSEC says of it, connects to every host as a delivery would, and says goodbye
after the TLS handshake. The server need not run.

Exit codes: 0 mail would be delivered as the profile wants it, 1 it would wait,
66 it would be returned (no such domain, or one that takes no mail).`;

/** `tls`. */
export function addTlsCommand(
  program: Command,
  { programs, ended }: CommandLine,
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
