/**
 * `bulkhead tls`: how mail to a domain would go, how safely, and why. Beside
 * a running server or without one: dns, dial, sts and smtpc are started for
 * it, in their jails.
 */
import { destinationFor } from "../../config/destinations.ts";
import {
  foldAscii,
  hostPort,
  hostPortText,
  isMailDomain,
} from "../../config/names.ts";
import type { NextHop } from "../../core/shapes.ts";
import { dnsContract } from "../../dns/dns_ipc.ts";
import type { AnswerOf } from "../../ipc/call.ts";
import { smtpcContract } from "../../smtpc/smtpc_ipc.ts";
import { routesOf } from "../plan.ts";
import { type Opened, openSite } from "../site_io.ts";
import { type SmallServer, withSmallServer } from "../small_server.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { tlsText, verdictOf } from "./tls_text.ts";

type RecordType = "MX" | "A" | "AAAA" | "TLSA";

/** What the DNS says under one name, with its proof. */
export interface ShownRecords
  extends AnswerOf<typeof dnsContract.calls.explain> {
  readonly name: string;
  readonly type: RecordType;
}

/** All that was found out. */
export interface TlsShown extends AnswerOf<typeof smtpcContract.calls.explain> {
  readonly asked: string;
  readonly nextHop: NextHop;
  readonly records: readonly ShownRecords[];
}

/**
 * Explains.
 *
 * @param asked A domain, an address in it, or `host:port` of a next hop
 */
export async function tls(
  options: { config: string; json: boolean },
  programs: ReadonlyMap<string, string>,
  asked: string,
): Promise<number> {
  const destination = destinationOf(asked);
  if (destination === undefined) {
    return fail(EXIT.usage, [
      `${JSON.stringify(asked)} is neither a domain nor host:port`,
    ]);
  }
  const opening = openSite(options.config);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const nextHop = nextHopFor(destination, opened);
  if (nextHop === undefined) {
    return fail(EXIT.usage, [
      `${asked} is no next hop of [routes] or outbound.smarthost, and smtpc ` +
      "may go to no other port",
    ]);
  }
  if (nextHop === "here") {
    print(
      options.json,
      { asked, nextHop: null },
      () => `Mail for ${asked} ends here: it goes to no other server.`,
    );
    return EXIT.ok;
  }
  if (!options.json) console.error("Looking up and connecting ...");
  const shown = await withSmallServer(
    opened,
    programs,
    {
      roles: ["dns", "dial", "sts", "smtpc"],
      asker: "console",
      asks: ["dns", "smtpc"],
    },
    (server) => explain(server, { asked, nextHop }),
  ).catch((error) => String(error?.message ?? error));
  if (typeof shown === "string") return fail(EXIT.config, [shown]);
  const verdict = verdictOf(shown);
  print(options.json, { ...shown, verdict }, () => tlsText(shown, verdict));
  switch (verdict.kind) {
    case "delivered":
      return EXIT.ok;
    case "deferred":
      return EXIT.no;
    case "returned":
      return EXIT.notFound;
  }
}

async function explain(
  server: SmallServer,
  { asked, nextHop }: { asked: string; nextHop: NextHop },
): Promise<TlsShown | string> {
  const reply = await server.ask(smtpcContract).ask("explain", { nextHop });
  if (reply.kind !== "answered") return `smtpc gave no answer: ${whyOf(reply)}`;
  const found = reply.answer;
  const dns = server.ask(dnsContract);
  const wanted: [string, RecordType][] = [];
  const isLiteral = nextHop.kind === "mx" && nextHop.domain.startsWith("[");
  if (nextHop.kind === "mx" && !isLiteral) wanted.push([nextHop.domain, "MX"]);
  const seen = new Set<string>();
  for (const { attempt, tlsaNames } of found.hosts) {
    if (seen.has(attempt.host) || attempt.dns.address === "") continue;
    seen.add(attempt.host);
    wanted.push([attempt.host, "A"], [attempt.host, "AAAA"]);
    for (const name of tlsaNames) wanted.push([name, "TLSA"]);
  }
  const records = await Promise.all(
    wanted.map(async ([name, type]) => {
      const said = await dns.ask("explain", { name, type });
      return said.kind === "answered" ? [{ name, type, ...said.answer }] : [];
    }),
  );
  return { asked, nextHop, ...found, records: records.flat() };
}

function whyOf(reply: { kind: string; why?: string }): string {
  return reply.why ?? reply.kind;
}

type Destination =
  | { readonly domain: string }
  | { readonly host: string; readonly port: number };

function destinationOf(asked: string): Destination | undefined {
  const folded = foldAscii(asked);
  const domain = folded.slice(folded.lastIndexOf("@") + 1);
  return isMailDomain(domain) ? { domain } : hostPort(folded);
}

/** Where the queue would send it, by the same tables. */
function nextHopFor(
  destination: Destination,
  { config }: Opened,
): NextHop | "here" | undefined {
  const routes = routesOf(config);
  if ("host" in destination) {
    // A configured host may be spoken to in a way of its own.
    const known = routes.find(({ nextHop }) =>
      nextHop.kind === "host" &&
      hostPortText(nextHop) === hostPortText(destination)
    );
    return known?.nextHop.kind === "host" ? known.nextHop : undefined;
  }
  const { domain } = destination;
  if (config.server.local_domains.includes(domain)) return "here";
  const hop = destinationFor(
    new Map(routes.map((one) => [one.domain, one.nextHop])),
    domain,
  );
  return hop === undefined || hop.kind === "mx" ? { kind: "mx", domain } : hop;
}
