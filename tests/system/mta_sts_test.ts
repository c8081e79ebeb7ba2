/**
 * MTA-STS and TLS reports on a running server, in its jails: nsd as the DNS, a
 * server of policies by HTTPS, and a mail server that has the right
 * certificate for one of three domains.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { gunzipSync } from "node:zlib";
import { hasNsd, withNsd } from "../../mod/dns/nsd_fixture.ts";
import { Authority } from "../../mod/sts/authority_fixture.ts";
import { change, freePort, installation, until } from "./server_fixture.ts";
import { SmtpClient } from "./smtp_client.ts";

// smtpc takes loopback addresses of MX hosts for ourselves, as it must.
const address = Deno.networkInterfaces().find((one) =>
  one.family === "IPv4" && !one.address.startsWith("127.") &&
  !one.address.startsWith("169.254.")
)?.address;

/** The domains, each with its mode; `good.test` has the right certificate. */
const MODES = new Map([
  ["good.test", "enforce"],
  ["bad.test", "enforce"],
  ["lax.test", "testing"],
]);

const zoneOf = (domain: string) =>
  `$ORIGIN ${domain}.
$TTL 60
@ SOA ns. me. 1 60 60 60 60
@ NS ns
@ MX 10 mx
mx A ${address}
ns A 127.0.0.1
_mta-sts TXT "v=STSv1; id=20261121;"
mta-sts A 127.0.0.1
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@${domain}"
`;

/** Policies by HTTPS: what is asked for by Host. */
function policyServer(certified: { cert: string; key: string }) {
  const asked: string[] = [];
  const server = tls.createServer(certified, (socket) => {
    socket.on("error", () => {});
    socket.once("data", (octets: Uint8Array) => {
      const host = /^Host: mta-sts\.([a-z.]+)/m.exec(String(octets))?.[1] ?? "";
      asked.push(host);
      const policy = `version: STSv1\nmode: ${MODES.get(host)}\n` +
        `mx: mx.${host}\nmax_age: 86400\n`;
      socket.end(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" +
          `Content-Length: ${policy.length}\r\n\r\n${policy}`,
      );
    });
  });
  return { server, asked };
}

/** A message, and whether it came over TLS. */
interface Came {
  readonly to: string;
  readonly isTls: boolean;
  readonly content: string;
}

/** A mail server with STARTTLS that takes everything. */
function mailServer(certified: { cert: string; key: string }) {
  const came: Came[] = [];
  const talk = (socket: net.Socket, isTls: boolean) => {
    let input = "";
    let to = "";
    let inData = false;
    const say = (line: string) => void socket.write(`${line}\r\n`);
    const onData = (octets: Uint8Array) => {
      input += Buffer.from(octets).toString("latin1");
      for (
        let end = input.indexOf("\r\n");
        end >= 0;
        end = input.indexOf("\r\n")
      ) {
        if (inData) {
          const dot = input.indexOf("\r\n.\r\n");
          if (dot < 0) return;
          came.push({ to, isTls, content: input.slice(0, dot + 2) });
          input = input.slice(dot + 5);
          inData = false;
          say("250 2.0.0 taken");
          continue;
        }
        const line = input.slice(0, end);
        input = input.slice(end + 2);
        switch (line.slice(0, 4).toUpperCase()) {
          case "EHLO":
            say(isTls ? "250 mx" : "250-mx\r\n250 STARTTLS");
            break;
          case "STAR":
            // Paused before the 220, or what the client says next is lost.
            socket.off("data", onData);
            socket.pause();
            talk(
              new tls.TLSSocket(socket, {
                isServer: true,
                secureContext: tls.createSecureContext(certified),
              }),
              true,
            );
            say("220 go");
            return;
          case "RCPT":
            to = /<(.*)>/.exec(line)?.[1] ?? "";
            say("250 ok");
            break;
          case "DATA":
            inData = true;
            say("354 go on");
            break;
          case "QUIT":
            say("221 bye");
            break;
          default:
            say("250 ok");
        }
      }
    };
    socket.on("data", onData);
    socket.on("error", () => {});
  };
  const server = net.createServer((socket) => {
    socket.write("220 mx ESMTP\r\n");
    talk(socket, false);
  });
  return { server, came };
}

async function listen(server: net.Server, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as net.AddressInfo).port;
}

async function send(port: number, to: string): Promise<void> {
  using client = await SmtpClient.ready(port);
  await client.say("MAIL FROM:<a@sender.test>");
  assert.equal((await client.say(`RCPT TO:<${to}>`)).code, 250);
  await client.say("DATA");
  assert.equal((await client.say(`Subject: ${to}\r\n\r\nx\r\n.`)).code, 250);
}

/** The JSON in a report. */
function reportIn({ content }: Came) {
  const base64 = content.split("Content-Disposition")[1]!.split("\r\n\r\n")[1]!
    .split("--")[0]!;
  return JSON.parse(gunzipSync(Buffer.from(base64, "base64")).toString());
}

Deno.test({
  name: "MTA-STS is obeyed, and what came of it is reported",
  ignore: !hasNsd || address === undefined,
  async fn() {
    using authority = new Authority();
    const domains = [...MODES.keys()];
    const https = policyServer(
      authority.certify(domains.map((one) => `mta-sts.${one}`)),
    );
    const mail = mailServer(authority.certify(["mx.good.test"]));
    const httpsPort = await listen(https.server, "127.0.0.1");
    const mailPort = await listen(mail.server, address!);
    const zones = Object.fromEntries(domains.map((one) => [one, zoneOf(one)]));
    await withNsd({ zones, port: freePort() }, async (dnsPort) => {
      await using made = await installation({ users: ["me"] });
      Deno.writeTextFileSync(`${made.home}/ca.pem`, authority.pem);
      const settings = `
[server]
relay_domains = ${JSON.stringify(domains)}
[outbound]
port = ${mailPort}
nameservers = ["127.0.0.1"]
ca_file = "ca.pem"
mta_sts_port = ${httpsPort}
tls_reports = true
tls_report_each = "1s"
ipv6 = "off"
[dns]
port = ${dnsPort}
resolve = "forward"
validate = false
`;
      change(made, settings);
      await made.start();
      for (const one of domains) await send(made.smtpPort, `you@${one}`);
      const to = (address: string) =>
        mail.came.filter((one) => one.to === address);

      await until("good.test has it", () => to("you@good.test").length === 1);
      await until("lax.test has it", () => to("you@lax.test").length === 1);
      assert.ok(mail.came.every(({ isTls }) => isTls));
      const deferred = await until(
        "bad.test waits",
        () =>
          made.events().find(({ event, to }) =>
            event === "recipient-deferred" && to === "you@bad.test"
          ),
      );
      assert.match(String(deferred["text"]), /^4\.7\.\d/);
      assert.deepEqual(https.asked.sort(), [...domains].sort());
      assert.deepEqual(
        [...Deno.readDirSync(`${made.home}/sts`)].map(({ name }) => name)
          .sort(),
        [...domains].sort(),
      );

      // RFC 8460 §3: reports go out even where TLS fails, and are in no report.
      for (
        const [domain, want] of [
          ["good.test", { good: 1, bad: 0 }],
          ["bad.test", { good: 0, bad: 1 }],
          ["lax.test", { good: 0, bad: 1 }],
        ] as const
      ) {
        const [mail] = await until(`a report for ${domain}`, () => {
          const reports = to(`tls@${domain}`);
          return reports.length > 0 && reports;
        });
        const { policies: [policy] } = reportIn(mail!);
        assert.deepEqual(policy.policy["policy-type"], "sts");
        assert.deepEqual(policy.policy["mx-host"], [`mx.${domain}`]);
        assert.deepEqual(policy.summary, {
          "total-successful-session-count": want.good,
          "total-failure-session-count": want.bad,
        });
        const [failure] = policy["failure-details"] ?? [];
        assert.equal(
          failure?.["result-type"],
          want.bad === 0 ? undefined : "certificate-host-mismatch",
        );
      }
      assert.equal(to("you@bad.test").length, 0);
      await made.stopCleanly();
    });
    https.server.close();
    mail.server.close();
  },
});
