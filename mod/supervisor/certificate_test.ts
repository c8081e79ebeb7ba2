import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import {
  authoritiesFault,
  checkCertificate,
  makeCertificate,
} from "./certificate.ts";

const HOST = "mx.home.test";
const NOW = Date.now();
const DAY_MS = 86_400_000;
const MADE = makeCertificate(HOST, NOW);

/** Runs openssl on a certificate in a file of its own. */
function openssl(pem: string, args: (file: string) => string[]): string {
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(file, pem);
    const { code, stdout, stderr } = new Deno.Command("openssl", {
      args: args(file),
    }).outputSync();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    strictEqual(code, 0, text);
    return text;
  } finally {
    Deno.removeSync(file);
  }
}

Deno.test("makeCertificate() makes what openssl reads as meant", () => {
  const text = openssl(
    MADE.cert,
    (file) => ["x509", "-in", file, "-noout", "-text"],
  );
  match(text, /Version: 3/);
  match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  match(text, /Issuer: CN = mx\.home\.test/);
  match(text, /Basic Constraints: critical\s+CA:FALSE/);
  match(text, /Key Usage: critical\s+Digital Signature\n/);
  match(text, /Extended Key Usage:\s+TLS Web Server Authentication/);
  match(text, /DNS:mx\.home\.test/);
});

Deno.test("makeCertificate() makes what openssl verifies by itself", () => {
  openssl(MADE.cert, (file) => [
    "verify",
    "-purpose",
    "sslserver",
    "-verify_hostname",
    HOST,
    "-CAfile",
    file,
    file,
  ]);
});

Deno.test("makeCertificate() makes PEM as openssl writes it", () => {
  const again = openssl(
    MADE.cert,
    (file) => ["x509", "-in", file, "-outform", "PEM"],
  );
  strictEqual(again, MADE.cert);
});

Deno.test("makeCertificate() is valid for ten years, past 2050 too", () => {
  const dates = (nowMs: number) =>
    openssl(
      makeCertificate(HOST, nowMs).cert,
      (file) => ["x509", "-in", file, "-noout", "-dates"],
    );
  const early = dates(Date.UTC(2039, 5, 1));
  match(early, /notBefore=May 31 23:00:00 2039 GMT/);
  match(early, /notAfter=Jun +1 00:00:00 2049 GMT/);
  match(dates(Date.UTC(2045, 0, 1)), /notAfter=Jan +1 00:00:00 2055 GMT/);
});

Deno.test("makeCertificate() takes a name of 253 octets", () => {
  const long = [..."abcd"].map((letter) => letter.repeat(62)).join(".") +
    ".t";
  strictEqual(long.length, 253);
  const made = makeCertificate(long, NOW);
  deepStrictEqual(checkCertificate(made.cert, made.key, NOW, long), []);
});

Deno.test("makeCertificate() never repeats a serial number or a key", () => {
  const other = makeCertificate(HOST, NOW);
  ok(other.cert !== MADE.cert);
  ok(other.key !== MADE.key);
});

Deno.test("makeCertificate() serves a TLS handshake that checks the name", async () => {
  const server = tls.createServer({ cert: MADE.cert, key: MADE.key }, (end) => {
    end.end("250 done");
  });
  await new Promise<void>((then) => server.listen(0, "127.0.0.1", then));
  const { port } = server.address() as net.AddressInfo;
  const said = await new Promise<string>((resolve, reject) => {
    let text = "";
    const client = tls.connect({
      host: "127.0.0.1",
      port,
      servername: HOST,
      ca: MADE.cert,
    });
    client.on("data", (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
    });
    client.on("end", () => resolve(text));
    client.on("error", reject);
  }).finally(() => new Promise<void>((then) => server.close(() => then())));
  strictEqual(said, "250 done");
});

const OTHER = makeCertificate("other.test", NOW);
const TEN_YEARS_ON = new Date(NOW);
TEN_YEARS_ON.setUTCFullYear(TEN_YEARS_ON.getUTCFullYear() + 10);
const END = TEN_YEARS_ON.getTime();

const CHECKS: {
  name: string;
  cert?: string;
  key?: string;
  nowMs?: number;
  host?: string;
  want: RegExp[];
}[] = [
  { name: "is content with its own", want: [] },
  {
    name: "is content a month before the end",
    nowMs: END - 30 * DAY_MS,
    want: [],
  },
  {
    name: "warns a week before the end",
    nowMs: END - 7 * DAY_MS,
    want: [/^warning .* in [67] days$/],
  },
  {
    name: "warns after the end",
    nowMs: END + DAY_MS,
    want: [/^warning .* expired on 20/],
  },
  {
    name: "warns before the beginning",
    nowMs: NOW - DAY_MS,
    want: [/^warning .* only valid from/],
  },
  {
    name: "warns of another name",
    host: "else.test",
    want: [/^warning .* not for the name else\.test$/],
  },
  {
    name: "refuses the key of another",
    key: OTHER.key,
    want: [/^fault the key is not the key/],
  },
  {
    name: "refuses an empty certificate",
    cert: "",
    want: [/^fault the certificate cannot be read/],
  },
  {
    name: "refuses an empty key",
    key: "",
    want: [/^fault the key cannot be read/],
  },
  {
    name: "refuses a certificate as key",
    key: MADE.cert,
    want: [/^fault the key cannot be read/],
  },
  {
    name: "refuses a key as certificate",
    cert: MADE.key,
    want: [/^fault the certificate cannot be read/],
  },
  {
    name: "refuses a cut certificate",
    cert: MADE.cert.slice(0, 300),
    want: [/^fault the certificate cannot be read/],
  },
  {
    name: "tells both",
    cert: "x",
    key: "x",
    want: [/^fault the cert/, /^fault the key/],
  },
  {
    name: "looks at the first of a chain",
    cert: MADE.cert + OTHER.cert,
    want: [],
  },
];

for (const { name, cert, key, nowMs, host, want } of CHECKS) {
  Deno.test(`checkCertificate() ${name}`, () => {
    const found = checkCertificate(
      cert ?? MADE.cert,
      key ?? MADE.key,
      nowMs ?? NOW,
      host ?? HOST,
    ).map((one) => `${one.kind} ${one.message}`);
    strictEqual(found.length, want.length, found.join("; "));
    for (const [at, pattern] of want.entries()) match(found[at]!, pattern);
  });
}

Deno.test("authoritiesFault() finds what is no certificate, and where", () => {
  const { cert, key } = makeCertificate("ca.home.test", Date.now());
  const other = makeCertificate("ca2.home.test", Date.now()).cert;
  strictEqual(authoritiesFault(cert + other), undefined);
  strictEqual(authoritiesFault(key), "has no certificate in it");
  strictEqual(
    authoritiesFault(cert + other.replace("MII", "III")),
    "has a certificate, number 2, that cannot be read",
  );
});
