/** What a sender asked for, on its way to next hops that offer it or do not. */
import assert from "node:assert/strict";
import tls from "node:tls";
import {
  bytesOf,
  meets,
  type Options,
  run,
  unsignedHost,
  withServer,
} from "./delivery_fixture.ts";
import { IdlePool } from "./idle_pool.ts";
import { behave, type Heard, type Visit } from "./scripted_server.ts";
import type { Session } from "./session_io.ts";

const offers = (...keywords: string[]) => ({
  EHLO: ["250-fake.test", ...keywords.map((one) => `250-${one}`), "250 HELP"]
    .join("\r\n"),
});
const UTF8_HEADER = "Subject: \xc3\xbc\r\n\r\ntext\r\n";
const UTF8_TEXT = "Subject: u\r\n\r\n\xc3\xbc\r\n";
const DSN_WISHES: Options = {
  wishes: { envid: "a+b c", ret: "hdrs" },
  recipientWishes: [
    { notify: ["success", "failure"], orcpt: "rfc822;A+1@x.test" },
    { notify: [], orcpt: "" },
  ],
};
const BINARY = "Subject: x\r\n\r\n\n.\r\n\r\r\n\0\xff\r\n.\r\nQUIT\r\n\r";

const SENT: {
  name: string;
  offered: string[];
  options: Options;
  /** What became of it; and MAIL and RCPT, if they were said. */
  said: string;
  mail?: string;
  rcpt?: string[];
}[] = [
  {
    name: "DSN parameters to a server with DSN",
    offered: ["PIPELINING", "DSN"],
    options: DSN_WISHES,
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test> RET=HDRS ENVID=a+2Bb+20c",
    rcpt: [
      "RCPT TO:<a@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;A+2B1@x.test",
      "RCPT TO:<b@x.test>",
    ],
  },
  {
    name: "no DSN parameters to a server without",
    offered: ["PIPELINING"],
    options: DSN_WISHES,
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test>",
    rcpt: ["RCPT TO:<a@x.test>", "RCPT TO:<b@x.test>"],
  },
  {
    name: "SMTPUTF8 because it was asked for",
    offered: ["SMTPUTF8", "8BITMIME"],
    options: { wishes: { smtpUtf8: true }, content: UTF8_HEADER },
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test> BODY=8BITMIME SMTPUTF8",
  },
  {
    name: "what needs no SMTPUTF8 after all, to a server without",
    offered: ["8BITMIME"],
    options: { wishes: { smtpUtf8: true }, content: UTF8_TEXT },
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test> BODY=8BITMIME",
  },
  {
    name: "no UTF-8 header to a server without SMTPUTF8",
    offered: ["8BITMIME"],
    options: { wishes: { smtpUtf8: true }, content: UTF8_HEADER },
    said: "permanent 554 5.6.7",
  },
  {
    name: "the others when one recipient needs SMTPUTF8 that is not offered",
    offered: ["8BITMIME"],
    options: {
      wishes: { smtpUtf8: true },
      recipients: ["ü@x.test", "b@x.test"],
    },
    said: "permanent 553 5.6.7, delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test>",
    rcpt: ["RCPT TO:<b@x.test>"],
  },
  {
    name: "nothing from a sender who needs SMTPUTF8 that is not offered",
    offered: ["8BITMIME"],
    options: { wishes: { smtpUtf8: true }, reversePath: "ü@us.test" },
    said: "permanent 553 5.6.7",
  },
  {
    name: "binary octets in a BDAT",
    offered: ["PIPELINING", "8BITMIME", "CHUNKING", "BINARYMIME", "SIZE"],
    options: { bodyType: "binarymime", content: BINARY },
    said: "delivered 250 2.0.0",
    mail: `MAIL FROM:<me@us.test> SIZE=${BINARY.length} BODY=BINARYMIME`,
  },
  {
    name: "binary octets in a BDAT without PIPELINING",
    offered: ["CHUNKING", "BINARYMIME"],
    options: { bodyType: "binarymime", content: BINARY },
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<me@us.test> BODY=BINARYMIME",
  },
  {
    name: "nothing binary to a server without BINARYMIME",
    offered: ["8BITMIME", "CHUNKING"],
    options: { bodyType: "binarymime", content: BINARY },
    said: "permanent 554 5.6.3",
  },
  {
    name: "nothing binary to a server without CHUNKING",
    offered: ["8BITMIME", "BINARYMIME"],
    options: { bodyType: "binarymime", content: BINARY },
    said: "permanent 554 5.6.3",
  },
  {
    name: "nothing that requires TLS without TLS",
    offered: ["REQUIRETLS"],
    options: { wishes: { requireTls: true } },
    said: "permanent 550 5.7.10",
  },
  {
    name: "a notice that would like TLS without TLS",
    offered: ["REQUIRETLS"],
    options: { wishes: { requireTls: true }, reversePath: "" },
    said: "delivered 250 2.0.0",
    mail: "MAIL FROM:<>",
  },
];

for (const { name, offered, options, said, mail, rcpt } of SENT) {
  Deno.test(`deliver() sends ${name}`, async () => {
    const { heard, ...got } = await meets(offers(...offered), options);
    assert.equal(got.said, said);
    const of = (verb: string) =>
      heard.lines.filter((line) => line.startsWith(verb));
    const latin = (text: string) =>
      String.fromCharCode(...new TextEncoder().encode(text));
    assert.deepEqual(of("MAIL"), mail === undefined ? [] : [latin(mail)]);
    if (rcpt !== undefined) assert.deepEqual(of("RCPT"), rcpt);
    const isSaid = said.includes("delivered");
    assert.equal(heard.messages.length, isSaid ? 1 : 0);
    if (options.bodyType !== "binarymime" || !isSaid) return;
    assert.equal(heard.messages[0], BINARY);
    assert.deepEqual(of("DATA"), []);
    assert.deepEqual(of("BDAT"), [`BDAT ${BINARY.length} LAST`]);
  });
}

Deno.test("deliver() says of whom the next hop tells, and keeps quiet without DSN", async () => {
  const to = async (...keywords: string[]) => {
    const { outcomes } = await meets({
      ...offers("PIPELINING", ...keywords),
      RCPT: ["250 ok", "550 no"],
    }, DSN_WISHES);
    return outcomes!.map(({ isPassedOn }) => isPassedOn);
  };
  assert.deepEqual(await to("DSN"), [true, undefined]);
  assert.deepEqual(await to(), [undefined, undefined]);
});

Deno.test("deliver() sends no BDAT when every recipient is refused", async () => {
  for (const pipelining of [["PIPELINING"], []]) {
    const { said, heard } = await meets({
      ...offers(...pipelining, "CHUNKING", "BINARYMIME"),
      RCPT: "550 5.1.1 no",
    }, { bodyType: "binarymime", content: BINARY });
    assert.equal(said, "permanent 550 5.1.1");
    assert.deepEqual(
      heard.lines.filter((line) => line.startsWith("BDAT")),
      [],
    );
  }
});

Deno.test("deliver() streams a large binary message, and a chunk of another size is never complete", async () => {
  const chunk = bytesOf("\n\0\r".repeat(20_000));
  for (const isCut of [false, true]) {
    let readings = 0;
    const { said, heard } = await meets(
      offers("PIPELINING", "CHUNKING", "BINARYMIME"),
      {
        bodyType: "binarymime",
        sizeBytes: 100 * chunk.length,
        *content() {
          const chunks = isCut && ++readings > 1 ? 99 : 100;
          for (let i = 0; i < chunks; i++) yield chunk;
        },
      },
    );
    assert.equal(said, isCut ? "damaged" : "delivered 250 2.0.0");
    assert.deepEqual(
      heard.messages.map(({ length }) => length),
      isCut ? [] : [100 * chunk.length],
    );
  }
});

// REQUIRETLS: an authority, and what it certified.

interface Certified {
  readonly ca: string;
  readonly context: tls.SecureContext;
}

const certified = await certify();

async function certify(): Promise<Certified | undefined> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-ca-" });
  const openssl = async (line: string) => {
    const { success } = await new Deno.Command("openssl", {
      args: line.split(" "),
      cwd: dir,
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`openssl ${line}`);
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  try {
    await openssl(`req -x509 ${key} -subj /CN=ca -keyout ca.key -out ca`);
    await openssl(`req ${key} -subj /CN=mx -keyout key -out request`);
    await Deno.writeTextFile(
      `${dir}/names`,
      "subjectAltName=DNS:localhost,DNS:mx.x.test\n",
    );
    await openssl(
      "x509 -req -in request -CA ca -CAkey ca.key -days 2 -extfile names -out cert",
    );
    const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
    return {
      ca: read("ca"),
      context: tls.createSecureContext({
        key: read("key"),
        cert: read("cert"),
      }),
    };
  } catch {
    return undefined; // no openssl here
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function offerTls(
  visit: Visit,
  inTls: string[],
  heard: Heard,
): Promise<void> {
  visit.say("220 fake.test\r\n");
  await visit.line();
  visit.say("250-fake.test\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n");
  await visit.line();
  await visit.startTls(certified!.context, "220 go\r\n");
  await behave(visit, { greeting: "MUTE", ...offers(...inTls) }, heard);
}

const REQUIRED: {
  name: string;
  inTls: string[];
  options?: Options;
  isUntrusted?: true;
  host?: string;
  isMx?: string;
  said: string;
}[] = [
  {
    name: "to a verified host that offers it",
    inTls: ["REQUIRETLS"],
    said: "delivered 250 2.0.0",
  },
  {
    name: "not to a host that offers it in the clear only",
    inTls: [],
    said: "permanent 550 5.7.30",
  },
  {
    name: "not to a host whose certificate nobody vouches for",
    inTls: ["REQUIRETLS"],
    isUntrusted: true,
    said: "permanent 550 5.7.10",
  },
  {
    name: "not to a host with a certificate for another name",
    inTls: ["REQUIRETLS"],
    host: "other.test",
    said: "permanent 550 5.7.10",
  },
  {
    name: "not to an address that its certificate does not name",
    inTls: ["REQUIRETLS"],
    host: "127.0.0.1",
    said: "permanent 550 5.7.10",
  },
  {
    name: "to an MX host within the domain",
    inTls: ["REQUIRETLS"],
    host: "mx.x.test",
    isMx: "x.test",
    said: "delivered 250 2.0.0",
  },
  {
    name: "not to an MX host that only DNS names",
    inTls: ["REQUIRETLS"],
    host: "mx.x.test",
    isMx: "y.test",
    said: "permanent 550 5.7.10",
  },
];

for (const row of REQUIRED) {
  const { name, inTls, isUntrusted, host = "localhost", isMx, said } = row;
  Deno.test({
    name: `deliver() sends what requires TLS ${name}`,
    ignore: certified === undefined,
    async fn() {
      const heard: Heard = { lines: [], messages: [] };
      const pool = new IdlePool<Session>();
      const got = await withServer(
        (visit) => offerTls(visit, inTls, heard),
        async ({ port }) => {
          const common = {
            pool,
            wishes: { requireTls: true },
            ...(isUntrusted ? {} : { ca: certified!.ca }),
          };
          const hosts = [unsignedHost(host, 1, ["127.0.0.1"])];
          return await run(port, {
            ...common,
            addresses: ["127.0.0.1"],
            hosts,
            part: { port },
            nextHop: isMx === undefined
              ? { kind: "host", host, port }
              : { kind: "mx", domain: isMx },
          });
        },
      );
      pool.close();
      assert.equal(got.said, said);
      const mails = heard.lines.filter((line) => line.startsWith("MAIL"));
      assert.deepEqual(
        mails,
        said.startsWith("delivered")
          ? ["MAIL FROM:<me@us.test> REQUIRETLS"]
          : [],
      );
    },
  });
}

Deno.test({
  name: "deliver() never uses a kept session for what requires TLS",
  ignore: certified === undefined,
  async fn() {
    const heard: Heard = { lines: [], messages: [] };
    const pool = new IdlePool<Session>();
    await withServer(
      (visit) => offerTls(visit, ["REQUIRETLS"], heard),
      async (server) => {
        const { port } = server;
        const common = {
          pool,
          ca: certified!.ca,
          addresses: ["127.0.0.1"],
          nextHop: { kind: "host" as const, host: "localhost", port },
        };
        for (const requireTls of [false, true, false, true]) {
          const { said } = await run(port, {
            ...common,
            wishes: { requireTls },
          });
          assert.equal(said, "delivered 250 2.0.0");
        }
        assert.equal(server.visits, 2);
        pool.close();
      },
    );
    const mails = heard.lines.filter((line) => line.startsWith("MAIL"));
    assert.deepEqual(mails.map((line) => line.includes("REQUIRETLS")), [
      false,
      true,
      false,
      true,
    ]);
  },
});
