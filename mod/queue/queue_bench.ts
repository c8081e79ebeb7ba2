/**
 * A micro-benchmark of the queue alone: a real database and key file, edges
 * that answer at once, 50 clients that each hand in one message after
 * another. Run by hand:
 *
 *     deno run -A mod/queue/queue_bench.ts [DIRECTORY] [MESSAGES]
 *
 * Prints messages a second, CPU a message, and syncs a message.
 */
import fs from "node:fs";
import process from "node:process";
import { laboratory, newAsk, until } from "./laboratory.ts";

const CLIENTS = 50;

async function main(parent: string, messages: number): Promise<void> {
  const dir = fs.mkdtempSync(`${parent}/queue-bench-`);
  console.error = () => {};
  {
    await using lab = laboratory({
      dir,
      change: { maxActive: 20_000, minFreeBytes: 0 },
    });
    const warmUp = 2_000;
    await handIn(lab, warmUp);
    await until("warm", () => lab.fake.released.length === warmUp, 60_000);
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    await handIn(lab, messages);
    const acceptedMs = performance.now() - startedMs;
    await until(
      "done",
      () => lab.fake.released.length === warmUp + messages,
      60_000,
    );
    const tookMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage();
    const cpuUs = user - cpu.user + system - cpu.system;
    console.log(
      `${messages} messages: accepted ${rate(messages, acceptedMs)}/s, ` +
        `delivered ${rate(messages, tookMs)}/s, ` +
        `${Math.round(cpuUs / messages)} us CPU each`,
    );
  }
  fs.rmSync(dir, { recursive: true });
}

function rate(messages: number, ms: number): number {
  return Math.round(messages * 1_000 / ms);
}

/** Hands in `messages`, as 50 clients that each wait for their answer. */
async function handIn(
  lab: ReturnType<typeof laboratory>,
  messages: number,
): Promise<void> {
  let left = messages;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (left-- > 0) await lab.send(newAsk([`bob${left}@home.test`]));
  }));
}

if (import.meta.main) {
  const [parent = "/var/tmp", messages = "20000"] = Deno.args;
  await main(parent, Number(messages));
}
