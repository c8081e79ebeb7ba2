/** Reads Maildirs as any reader would: what is in `new`, and nothing else. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { until } from "./server_fixture.ts";

/** One delivered message. */
export interface Delivered {
  readonly path: string;
  /** The fields that delivery and our server put on top, each without LF. */
  readonly head: readonly string[];
  /** What the client sent, with LF for CRLF. */
  readonly content: Uint8Array;
}

const ADDED = [
  /^Return-Path: <[^\n]*>\n/,
  /^Delivered-To: [^\n]*\n/,
  /^Received: from [^\n]*\n\tby [^\n]*\n\t[^\n]*\n/,
];

/** Reads one file; fails unless the three fields are on top, in order. */
export function readDelivered(path: string): Delivered {
  const bytes = Deno.readFileSync(path);
  const size = /,S=(\d+)(?::2,[A-Z]*)?$/.exec(path);
  if (size) assert.equal(bytes.length, Number(size[1]), `S= of ${path}`);
  // The head is short; the content may be large and stays octets.
  let rest = Buffer.from(bytes.subarray(0, 4_096)).toString("latin1");
  const before = rest.length;
  const head = ADDED.map((form) => {
    const found = form.exec(rest);
    assert.ok(found, `${path}: no ${form} at ${rest.slice(0, 200)}`);
    rest = rest.slice(found[0].length);
    return found[0].slice(0, -1);
  });
  return { path, head, content: bytes.subarray(before - rest.length) };
}

/** Names of the files in `new`; none if there is no mailbox yet. */
export function newFiles(maildir: string): string[] {
  try {
    return [...Deno.readDirSync(`${maildir}/new`)].map(({ name }) =>
      `${maildir}/new/${name}`
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Waits until `new` has exactly `count` files. */
export async function filesIn(
  maildir: string,
  count: number,
  withinMs = 30_000,
): Promise<string[]> {
  const files = await until(
    `${count} messages in ${maildir}`,
    () => {
      const found = newFiles(maildir);
      return found.length >= count && found;
    },
    withinMs,
  );
  assert.equal(files.length, count, `messages in ${maildir}`);
  return files;
}

/** The same, and reads them. */
export async function mailIn(
  maildir: string,
  count: number,
  withinMs?: number,
): Promise<Delivered[]> {
  return (await filesIn(maildir, count, withinMs)).map(readDelivered);
}

/** Takes all messages away, so that the next count starts at nothing. */
export function emptyMaildir(maildir: string): void {
  for (const path of newFiles(maildir)) Deno.removeSync(path);
}

/** What a Maildir holds of a message: LF for CRLF. */
export function storedForm(content: Uint8Array): Uint8Array {
  const text = Buffer.from(content).toString("latin1");
  return Uint8Array.from(
    Buffer.from(text.replaceAll("\r\n", "\n"), "latin1"),
  );
}

/** Fails unless both are the same octets; says where they differ. */
export function assertOctets(
  got: Uint8Array,
  want: Uint8Array,
  what: string,
): void {
  if (Buffer.compare(got, want) === 0) return;
  let at = 0;
  while (at < want.length && got[at] === want[at]) at++;
  const near = (bytes: Uint8Array) =>
    JSON.stringify(
      Buffer.from(bytes.subarray(Math.max(0, at - 20), at + 40))
        .toString("latin1"),
    );
  assert.fail(
    `${what}: ${got.length} octets for ${want.length}, different at ${at}: ` +
      `${near(got)} for ${near(want)}`,
  );
}
