/** A certificate authority of a test's own, by openssl(1). */

/** A certificate with its key, in PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** An authority that certifies whatever a test needs. */
export class Authority implements Disposable {
  readonly #dir = Deno.makeTempDirSync({ prefix: "bulkhead-ca-" });
  readonly pem: string;

  constructor(name = "Test CA") {
    openssl(this.#dir, [
      ...["req", "-x509", "-newkey", "ec", "-nodes", "-days", "30"],
      ...["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", `/CN=${name}`],
      ...["-addext", "keyUsage=critical,keyCertSign"],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    ]);
    this.pem = Deno.readTextFileSync(`${this.#dir}/ca.pem`);
  }

  /** @param names Of the subject alternative name; none leaves it out */
  certify(
    names: readonly string[],
    more: { commonName?: string; isExpired?: boolean } = {},
  ): Certified {
    openssl(this.#dir, [
      ...["req", "-new", "-newkey", "ec", "-nodes"],
      ...["-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-subj", `/CN=${more.commonName ?? names[0] ?? "nobody"}`],
      ...["-addext", "basicConstraints=critical,CA:false"],
      ...(names.length === 0 ? [] : [
        "-addext",
        `subjectAltName=${names.map((one) => `DNS:${one}`).join(",")}`,
      ]),
      ...["-keyout", "one.key", "-out", "one.csr"],
    ]);
    openssl(this.#dir, [
      ...["x509", "-req", "-in", "one.csr", "-copy_extensions", "copy"],
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-out", "one.pem"],
      ...["-days", more.isExpired === true ? "-1" : "30"],
    ]);
    return {
      cert: Deno.readTextFileSync(`${this.#dir}/one.pem`),
      key: Deno.readTextFileSync(`${this.#dir}/one.key`),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

function openssl(cwd: string, args: readonly string[]): void {
  const { success, stderr } = new Deno.Command("openssl", {
    args: [...args],
    cwd,
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
