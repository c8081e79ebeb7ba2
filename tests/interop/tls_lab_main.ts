/**
 * Run by `tls_lab_test.ts` in a network of its own, where 192.0.2.1 is a mail
 * host and the loopback has a signed internet: asks `bulkhead tls` about each
 * domain, and prints what it and the mail host have to say.
 */
import { withNsd } from "../../mod/dns/nsd_fixture.ts";
import { certificates, daneEe } from "../../mod/smtpc/certified_fixture.ts";
import { behave, scriptedServer } from "../../mod/smtpc/scripted_server.ts";
import { bulkhead, installation } from "../system/server_fixture.ts";
import { signedZones } from "./dane_lab_zones.ts";

const ADDRESS = "192.0.2.1";

/** What came of it. */
export interface LabFound {
  readonly runs: readonly {
    readonly domain: string;
    readonly code: number;
    readonly out: string;
    readonly errors: string;
  }[];
  /** Lines that the mail host was told, in the clear and in TLS. */
  readonly heard: readonly string[];
}

if (import.meta.main) {
  const found = await ask(Deno.args);
  console.log(JSON.stringify(found));
}

async function ask(domains: readonly string[]): Promise<LabFound> {
  const made = (await certificates())!;
  const clear: string[] = [];
  const inTls = { lines: [], messages: [] };
  const host = await scriptedServer(async (visit) => {
    visit.say("220 mx.test\r\n");
    clear.push(await visit.line() ?? "");
    visit.say("250-mx.test\r\n250 STARTTLS\r\n");
    clear.push(await visit.line() ?? "");
    await visit.startTls(made.good.context, "220 go\r\n");
    await behave(visit, { greeting: "MUTE" }, inTls);
  }, ADDRESS);
  const mailHost = (name: string, data: string) => [
    `${name} MX 10 mx.${name}`,
    `mx.${name} A ${ADDRESS}`,
    `_${host.port}._tcp.mx.${name} TLSA 3 1 1 ${data}`,
  ];
  const { data } = daneEe(made.good.x509);
  const { zones, anchor } = await signedZones({
    signed: [
      ...mailHost("good", data),
      ...mailHost("wrong", "ab".repeat(32)),
      ...mailHost("bogus", data),
    ],
    provider: [],
    unsigned: mailHost("plain", data),
    spoiled: [`_${host.port}._tcp.mx.bogus.s.test. TLSA`],
  });
  const runs: LabFound["runs"][number][] = [];
  await withNsd({ zones }, async (port) => {
    await using made = await installation({
      users: ["me"],
      settings: [
        "[outbound]",
        `port = ${host.port}`,
        'nameservers = ["127.0.0.1"]',
        "mta_sts = false",
        "[dns]",
        `port = ${port}`,
        'resolve = "forward"',
        `trust_anchors = ["${
          anchor.split(/\s+/).filter(isNoClass).join(" ")
        }"]`,
      ].join("\n"),
    });
    runs.push(
      ...await Promise.all(domains.map(async (domain) => {
        const ran = await bulkhead("tls", "-c", made.config, domain);
        return { domain, ...ran };
      })),
    );
  });
  await host.close();
  return { runs, heard: [...clear, ...inTls.lines] };
}

/** ldns writes `. 3600 IN DS ...`; the setting has neither TTL nor class. */
function isNoClass(word: string, at: number): boolean {
  return !(at === 1 && /^[0-9]+$/.test(word)) && word !== "IN";
}
