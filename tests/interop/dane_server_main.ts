/**
 * The DANE laboratory once more, with the whole server in it: every role in
 * its own process, behind its own walls. Run by `dane_lab_test.ts` in a network
 * namespace, because the server takes no loopback address for a mail host.
 *
 * Prints one JSON object: by row what became of its recipient.
 */
import { server, until } from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import { type Lab, type Row, SECRET, withDaneLab } from "./dane_lab_fixture.ts";
import type { LabHost } from "./dane_lab_host.ts";
import { ROWS } from "./dane_lab_rows.ts";

/** Benchmarking's addresses, RFC 2544 appendix C.2.2. */
const NETWORK = "198.18";

/** What became of a row. */
export interface Became {
  readonly name: string;
  readonly want: string;
  /** As in a row's `want`, without what was reached. */
  readonly outcome: string;
  readonly event: string;
  /** Hosts that saw the message and were not to. */
  readonly leaks: readonly number[];
}

/** Situations that need nobody in between and no other role's part. */
function isForServer(row: Row, lab: Lab): boolean {
  const { change, sts, requireTls, nextHop } = lab.situationOf(row);
  return change === undefined && sts === undefined && nextHop === undefined &&
    !requireTls;
}

function settings(lab: Lab, rows: readonly Row[], ca: string): string {
  const domains = rows.map((row) => lab.domainOf(row));
  const exceptions = rows.filter((row) => lab.situationOf(row).isException);
  const listed = (all: readonly string[]) => JSON.stringify(all);
  return `
[server]
relay_domains = ${listed(domains)}
[outbound]
port = ${lab.port}
nameservers = ${listed([lab.nameserver])}
mta_sts = false
ipv6 = "off"
ca_file = ${JSON.stringify(ca)}
tls_exceptions = ${listed(exceptions.map((row) => lab.domainOf(row)))}
[dns]
resolve = "forward"
port = ${lab.nsd}
trust_anchors = ${listed([lab.anchor])}
[destinations]
${
    rows.map((row) => {
      const { profile = "dane", match } = lab.situationOf(row);
      const names = match === undefined ? "" : `, match = ${listed(match)}`;
      return `"${lab.domainOf(row)}" = { tls = "${profile}"${names} }`;
    }).join("\n")
  }
`;
}

async function withAllHosts(
  lab: Lab,
  rows: readonly Row[],
  use: (hosts: ReadonlyMap<Row, readonly LabHost[]>) => Promise<void>,
): Promise<void> {
  const all = new Map<Row, readonly LabHost[]>();
  const next = async (at: number): Promise<void> => {
    const row = rows[at];
    if (row === undefined) return await use(all);
    await lab.withHosts(row, async (hosts) => {
      all.set(row, hosts);
      await next(at + 1);
    });
  };
  await next(0);
}

async function became(lab: Lab): Promise<Became[]> {
  const rows = ROWS.filter((row) => isForServer(row, lab));
  const results: Became[] = [];
  const ca = await Deno.makeTempFile({ dir: "/tmp" });
  await Deno.writeTextFile(ca, lab.known.pem);
  await withAllHosts(lab, rows, async (hosts) => {
    await using made = await server({ settings: settings(lab, rows, ca) });
    const client = await SmtpClient.ready(made.smtpPort);
    const to = rows.map((row) => `you@${lab.domainOf(row)}`);
    const content = `Subject: a secret\r\n\r\n${SECRET}.\r\n`;
    await client.transact("me@home.test", to, octets(content));
    await client.quit();
    const eventOf = (row: Row) => {
      const address = `you@${lab.domainOf(row)}`;
      return made.events().find((one) =>
        one.event.startsWith("recipient-") && one["to"] === address
      );
    };
    await until(
      "an outcome for everybody",
      () => rows.every((row) => eventOf(row) !== undefined),
      30_000,
    ).catch(() => {});
    for (const row of rows) {
      results.push(resultOf(row, hosts.get(row)!, eventOf(row)));
    }
  });
  await Deno.remove(ca);
  return results;
}

function resultOf(
  row: Row,
  hosts: readonly LabHost[],
  event: object | undefined,
): Became {
  const taker = hosts.findIndex(({ taken }) => taken.length > 0);
  const how = hosts[taker]?.taken[0]?.inTls ? "in TLS" : "in the clear";
  const wanted = Number(/^[0-9]+/.exec(row.want)?.[0] ?? 0) - 1;
  return {
    name: row.name,
    want: row.want,
    outcome: taker < 0 ? "nobody" : `${taker + 1} ${how}`,
    event: JSON.stringify(event ?? null),
    leaks: hosts.flatMap((host, i) =>
      i !== wanted && host.seen().includes(SECRET) ? [i + 1] : []
    ),
  };
}

await withDaneLab({ rows: ROWS, network: NETWORK }, async (lab) => {
  console.log(JSON.stringify(await became(lab)));
});
