/**
 * The client's side of AUTH (RFC 4954), sharing no code with the server: PLAIN
 * (RFC 4616), LOGIN, and SCRAM-SHA-256 with and without channel binding (RFC
 * 5802, RFC 7677, RFC 5929 §4).
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Reply, SmtpClient } from "./smtp_client.ts";

/** Who logs in. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** Every way in. */
export const MECHANISMS = [
  "PLAIN",
  "LOGIN",
  "SCRAM-SHA-256",
  "SCRAM-SHA-256-PLUS",
] as const;

/** One of them. */
export type Mechanism = (typeof MECHANISMS)[number];

/**
 * Logs in and returns the last reply; a SCRAM server that cannot prove that it
 * knows the password fails the test.
 *
 * @param certificate The server's, in DER: what `-PLUS` binds to
 */
export function logIn(
  client: SmtpClient,
  mechanism: Mechanism,
  credentials: Credentials,
  certificate: Uint8Array,
): Promise<Reply> {
  const { login, password } = credentials;
  switch (mechanism) {
    case "PLAIN":
      return client.say(`AUTH PLAIN ${base64(`\0${login}\0${password}`)}`);
    case "LOGIN":
      return byLogin(client, credentials);
    case "SCRAM-SHA-256":
      return byScram(client, credentials, { mechanism, gs2: "n,,", bound: "" });
    case "SCRAM-SHA-256-PLUS":
      return byScram(client, credentials, {
        mechanism,
        gs2: "p=tls-server-end-point,,",
        bound: createHash("sha256").update(certificate).digest().toString(
          "latin1",
        ),
      });
  }
}

async function byLogin(
  client: SmtpClient,
  { login, password }: Credentials,
): Promise<Reply> {
  client.expect(await client.say("AUTH LOGIN"), 334);
  client.expect(await client.say(base64(login)), 334);
  return await client.say(base64(password));
}

async function byScram(
  client: SmtpClient,
  { login, password }: Credentials,
  channel: { mechanism: Mechanism; gs2: string; bound: string },
): Promise<Reply> {
  const firstBare = `n=${login},r=${crypto.randomUUID()}`;
  const asked = await client.say(
    `AUTH ${channel.mechanism} ${base64(channel.gs2 + firstBare)}`,
  );
  if (asked.code !== 334) return asked;
  const serverFirst = Buffer.from(asked.lines[0]!, "base64").toString();
  const [, nonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d+)$/
    .exec(serverFirst)!;
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt!, "base64"),
    Number(count),
    32,
    "sha256",
  );
  const clientKey = hmac(salted, "Client Key");
  const binding = Buffer.from(channel.gs2 + channel.bound, "latin1")
    .toString("base64");
  const finalBare = `c=${binding},r=${nonce}`;
  const message = `${firstBare},${serverFirst},${finalBare}`;
  const stored = createHash("sha256").update(clientKey).digest();
  const signature = hmac(stored, message);
  const proof = Buffer.from(clientKey.map((one, n) => one ^ signature[n]!));
  const answer = await client.say(
    base64(`${finalBare},p=${proof.toString("base64")}`),
  );
  if (answer.code !== 334) return answer;
  const proven = hmac(hmac(salted, "Server Key"), message).toString("base64");
  const said = Buffer.from(answer.lines[0]!, "base64").toString();
  assert.equal(said, `v=${proven}`, "the server's own proof");
  return await client.say("");
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
