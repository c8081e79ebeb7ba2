/**
 * A server whose home lies on an image, but for the Maildirs (a tmpfs) and
 * the runtime; and how mail is held back in it and let go.
 */
import assert from "node:assert/strict";
import { newFiles } from "../system/mailbox.ts";
import { NextHop } from "../system/next_hop.ts";
import {
  bulkhead,
  delay,
  freePort,
  type Installation,
  installation,
  until,
} from "../system/server_fixture.ts";
import { childrenOf, isAlive } from "../crash/crash_fixture.ts";
import { SmtpClient, wireForm } from "../system/smtp_client.ts";
import type { DiskKind } from "../crash/disk_kinds.ts";
import { DiskImage } from "./disk_image.ts";
import type { Marked } from "./marked_mail.ts";

const SENDERS = 6;
const SETTLE_WITHIN_MS = 120_000;

const SETTINGS = `
[server]
relay_domains = ["remote.test", "away.test"]
[smtp]
processes = 2
[queue]
first_retry = "2s"
max_retry = "10m"
keep_events = "10s"
min_free = "1MiB"
[spool]
segment_size = "4MiB"
min_free = "8MiB"
`;

/** Settings that make addresses leave sooner, where the server has them. */
const SHORT: readonly (readonly [string, string])[] = [
  ["forget_within", '"10s"'],
];

/** A server on an image. */
export class ErasureScene implements AsyncDisposable {
  readonly image: DiskImage;
  readonly made: Installation;
  readonly hop: NextHop;
  #staying = 0;
  /** Words of the files in the Maildirs. */
  readonly #seen = new Map<string, readonly string[]>();

  private constructor(
    image: DiskImage,
    made: Installation,
    hop: NextHop,
  ) {
    this.image = image;
    this.made = made;
    this.hop = hop;
  }

  /** Makes image and installation; nothing runs. */
  static async make(kind: DiskKind, bytes: number): Promise<ErasureScene> {
    const image = await DiskImage.make(kind, bytes);
    try {
      const hop = new NextHop(freePort());
      const made = await installation({
        home: image.home,
        routes: [
          `remote.test=127.0.0.1:${hop.port}`,
          // Nobody listens there, ever.
          `away.test=127.0.0.1:${freePort()}`,
        ],
        settings: SETTINGS + await shortSettings(),
      });
      return new ErasureScene(image, made, hop);
    } catch (error) {
      await image[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** From now on nothing can be delivered. */
  async hold(): Promise<void> {
    await this.hop.close();
    await this.image.setMailboxes("ro");
  }

  /** From now on everything can be delivered, or is refused if it shall be. */
  async letGo(mail: readonly Marked[]): Promise<void> {
    const bad = new Set(
      mail.filter(({ way }) => way === "bounce").map(({ from }) => from),
    );
    this.hop.manners = {
      onMail: (from) => bad.has(from) ? "550 5.7.1 Not this one" : undefined,
    };
    await this.image.setMailboxes("rw");
    await this.hop.listen();
  }

  /** Hands all messages in, several at a time. */
  async send(mail: readonly Marked[]): Promise<void> {
    const waiting = [...mail];
    await Promise.all(Array.from({ length: SENDERS }, async () => {
      let client = await SmtpClient.ready(this.made.smtpPort);
      for (let one; (one = waiting.shift()) !== undefined;) {
        if (one.way === "aborted") {
          await breakOff(client, one);
          client = await SmtpClient.ready(this.made.smtpPort);
        } else await client.transact(one.from, one.to, one.content);
      }
      await client.quit();
    }));
  }

  /**
   * Waits until every message has arrived that can, and no other is queued
   * than those that stay.
   */
  async settled(mail: readonly Marked[]): Promise<void> {
    const want = mail.filter(({ way }) => way !== "aborted" && way !== "stays");
    this.#staying += mail.filter(({ way }) => way === "stays").length;
    const late = performance.now() + SETTLE_WITHIN_MS;
    for (let missing; (missing = this.missing(want)).length > 0;) {
      const some = missing.slice(0, 5).map(({ way, to }) => `${way} ${to}`);
      assert.ok(performance.now() < late, `${missing.length} missing: ${some}`);
      await delay(200);
    }
    while (await this.#queued() > this.#staying) {
      assert.ok(performance.now() < late, "the queue becomes empty");
      await delay(300);
    }
  }

  async #queued(): Promise<number> {
    const { messages } = await this.made.json<{ messages: unknown[] }>(
      ...["queue", "list"],
    );
    return messages.length;
  }

  /** Kills a process of a role as the kernel would; false if there is none. */
  async kill(instance: string): Promise<boolean> {
    const roles = await this.made.roles();
    const pid = roles.find((one) => one.instance === instance)?.pid;
    if (pid === undefined || pid === null) return false;
    try {
      Deno.kill(pid, "SIGKILL");
      return true;
    } catch (error) {
      // It died of an earlier kill, and its successor was not yet known.
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Kills the supervisor, and starts another when all its roles are gone. */
  async killSupervisor(): Promise<void> {
    const roles = childrenOf(this.made.pid);
    Deno.kill(this.made.pid, "SIGKILL");
    await this.made.stop();
    await until("the roles' end", () => !roles.some(isAlive));
    await this.made.start();
  }

  /** Those that are nowhere yet. */
  missing(mail: readonly Marked[]): Marked[] {
    const arrived = this.#arrived();
    return mail.filter(({ sign }) => !arrived.has(sign));
  }

  #arrived(): Set<string> {
    for (const user of ["me", "you"]) {
      for (const path of newFiles(this.made.maildir(user))) {
        if (this.#seen.has(path)) continue;
        this.#seen.set(path, words(Deno.readFileSync(path)));
      }
    }
    const taken = this.hop.taken.flatMap(({ content }) => words(content));
    return new Set([...this.#seen.values()].flat().concat(taken));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hop.close();
    await this.made[Symbol.asyncDispose]();
    await this.image[Symbol.asyncDispose]();
  }
}

async function shortSettings(): Promise<string> {
  const { code, out } = await bulkhead("config", "doc");
  assert.equal(code, 0, "config doc");
  const lines = SHORT.filter(([name]) => out.includes(name))
    .map(([name, value]) => `${name} = ${value}\n`);
  return lines.length > 0 ? `[queue]\n${lines.join("")}` : "";
}

/** Sends half of the content, and hangs up. */
async function breakOff(client: SmtpClient, mail: Marked): Promise<void> {
  client.expect(await client.say(`MAIL FROM:<${mail.from}>`), 250);
  for (const to of mail.to) {
    client.expect(await client.say(`RCPT TO:<${to}>`), 250);
  }
  client.expect(await client.say("DATA"), 354);
  const wire = wireForm(mail.content);
  await client.send(wire.subarray(0, Math.floor(wire.length * 0.9)));
  client.close();
}

/** All words that may be marks, in the first octets of a message. */
function words(content: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(content.subarray(0, 12_000));
  return [...new Set(text.match(/(?<![a-z2-7])[a-z2-7]{20}(?![a-z2-7])/g))];
}
