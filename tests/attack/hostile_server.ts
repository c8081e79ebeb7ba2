/**
 * A running server with a single smtpd process, whose limits are out of the
 * way of what is attacked, and a good client that must be served all the same.
 */
import assert from "node:assert/strict";
import { type Installation, server } from "../system/server_fixture.ts";
import { HostileClient } from "./hostile_client.ts";

/** An address that no attacker of these tests comes from. */
const GOOD = "127.200.0.1";

/** See the file's header. */
export class HostileServer {
  readonly made: Installation;
  /** smtpd's process. */
  readonly pid: number;
  readonly port: number;

  private constructor(made: Installation, pid: number) {
    this.made = made;
    this.pid = pid;
    this.port = made.smtpPort;
  }

  /** @param settings More of the section `[smtp]` */
  static async start(settings: string): Promise<HostileServer> {
    const made = await server({
      settings: `[smtp]\nprocesses = 1\n${settings}`,
    });
    const roles = await made.roles();
    const smtpd = roles.find(({ instance }) => instance.startsWith("smtpd."))!;
    const started = new HostileServer(made, smtpd.pid);
    for (let i = 0; i < 20; i++) await started.goodMail();
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.made[Symbol.asyncDispose]();
  }

  /** A client as attackers are, connected. */
  client(from?: string): HostileClient {
    return new HostileClient(this.port, from);
  }

  /** A client that was told 354. */
  async inData(from?: string): Promise<HostileClient> {
    const client = this.client(from);
    await client.hears(1);
    await client.say("EHLO attacker.test");
    await client.say("MAIL FROM:<>");
    await client.say("RCPT TO:<me@home.test>");
    assert.match(await client.say("DATA"), /^354 /);
    return client;
  }

  /** Sends a message from an address of its own; the time it took. */
  async goodMail(): Promise<number> {
    const from = performance.now();
    using client = await this.inData(GOOD);
    assert.match(await client.say("good\r\n."), /^250 2\.0\.0 /);
    return performance.now() - from;
  }

  /** The same process is still there. */
  async isAlive(): Promise<void> {
    await this.goodMail();
    const roles = await this.made.roles();
    assert.deepEqual(
      roles.filter(({ restarts }) => restarts > 0).map(({ instance }) =>
        instance
      ),
      [],
      "restarted",
    );
  }
}

/** The value that 99 of 100 do not exceed. */
export function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99))]!;
}
