/**
 * For tests: an authority and certificates that it issued, made by openssl
 * once for a process. Not part of any role.
 */
import { createHash, X509Certificate } from "node:crypto";
import tls from "node:tls";
import type { TlsaRecord } from "../dns/dns_ipc.ts";

/** A server's certificate, ready for use. */
export interface ServerCertificate {
  readonly context: tls.SecureContext;
  readonly x509: X509Certificate;
}

/** What was made; every certificate has the same key. */
export interface Certificates {
  /** PEM. */
  readonly ca: string;
  /** For `mx.x.test` and `localhost`; its chain has the authority in it. */
  readonly good: ServerCertificate;
  /** The same names, ended yesterday. */
  readonly expired: ServerCertificate;
  /** For `other.test`. */
  readonly other: ServerCertificate;
}

/** Makes them; undefined where there is no openssl. */
export async function certificates(): Promise<Certificates | undefined> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-certs-" });
  const openssl = async (line: string) => {
    const { success } = await new Deno.Command("openssl", {
      args: line.split(" "),
      cwd: dir,
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`openssl ${line}`);
  };
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  const ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  const issue = async (name: string, days: number, names: string) => {
    Deno.writeTextFileSync(`${dir}/${name}.ext`, `subjectAltName=${names}\n`);
    await openssl(
      "x509 -req -in request -CA ca -CAkey ca.key -set_serial 7 " +
        `-days ${days} -extfile ${name}.ext -out ${name}`,
    );
    const cert = read(name);
    return {
      context: tls.createSecureContext({
        key: read("key"),
        cert: cert + read("ca"),
      }),
      x509: new X509Certificate(cert),
    };
  };
  try {
    await openssl(
      `req -x509 ${ec} -days 2 -subj /CN=ca -keyout ca.key -out ca`,
    );
    await openssl(`req ${ec} -subj /CN=mx -keyout key -out request`);
    return {
      ca: read("ca"),
      good: await issue("good", 2, "DNS:localhost,DNS:mx.x.test"),
      expired: await issue("expired", -1, "DNS:localhost,DNS:mx.x.test"),
      other: await issue("other", 2, "DNS:other.test"),
    };
  } catch {
    return undefined;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The digest of a certificate's key, in hex: TLSA `3 1 1`, a fingerprint. */
export function keyDigest({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("hex");
}

/** TLSA `3 1 1` for a certificate. */
export function daneEe(certificate: X509Certificate): TlsaRecord {
  return { usage: 3, selector: 1, matching: 1, data: keyDigest(certificate) };
}

/** TLSA `2 0 1` for an authority, PEM. */
export function daneTa(ca: string): TlsaRecord {
  const data = createHash("sha256").update(new X509Certificate(ca).raw)
    .digest("hex");
  return { usage: 2, selector: 0, matching: 1, data };
}
