/**
 * Can a client tell by time whether a login exists?
 *
 *     deno run -A scripts/auth_timing.ts [TRIES]
 *
 * Asks the auth role's own code with the real costs, 1,000 times a known login
 * with a wrong password and an unknown one, by turns, and prints the means and
 * their difference, by the clock and of processor time, which other programs of
 * the machine disturb less. Takes seven minutes at that.
 */
import process from "node:process";
import { authAnswers } from "../mod/auth/answers.ts";
import { Logins } from "../mod/auth/logins.ts";
import { flushLog } from "../mod/core/log.ts";
import { setPassword, withSaltKey } from "../mod/login/change_passwords.ts";
import type { PasswordFile } from "../mod/login/password_file.ts";

const tries = Number(Deno.args[0] ?? 1_000);
let file: PasswordFile = withSaltKey({ lines: [], was: "" });
for (let n = 0; n < 20; n++) {
  const mailbox = { user: `user${n}`, domain: "home.test" };
  const set = setPassword(file, mailbox, `password ${n}`);
  if (set.ok) file = set;
}
const logins = new Logins(file.lines, new Uint8Array(32));
const { handlers } = authAnswers({
  logins: () => logins,
  defaultDomain: () => "home.test",
  hashesAtOnce: 1,
  count: () => {},
  // Nobody is locked out: each try is a window after the one before.
  nowMs: () => clockMs += 900_000,
});
let clockMs = 0;
const password = handlers.password as (
  ask: { login: string; password: string; client: string },
  asker: string,
) => Promise<unknown>;

/** One try: as a client sees it, and what of it was work. */
interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

async function timeOf(login: string): Promise<Took> {
  const before = process.cpuUsage();
  const began = performance.now();
  await password({ login, password: "wrong", client: "192.0.2.1" }, "x");
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1_000 };
}

const known: Took[] = [];
const unknown: Took[] = [];
for (let n = 0; n < tries; n++) {
  const pair = [
    async () => known.push(await timeOf(`user${n % 20}@home.test`)),
    async () => unknown.push(await timeOf(`nobody${n % 20}@home.test`)),
  ];
  // Whoever comes second finds warmer caches.
  for (const one of n % 2 === 0 ? pair : pair.reverse()) await one();
}
flushLog();

const mean = (all: readonly number[]) =>
  all.reduce((sum, one) => sum + one, 0) / all.length;
const median = (all: readonly number[]) =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!;
const spread = (all: readonly number[]) => {
  const middle = mean(all);
  return Math.sqrt(mean(all.map((one) => (one - middle) ** 2)));
};
for (const what of ["ms", "cpuMs"] as const) {
  const some = known.map((one) => one[what]);
  const others = unknown.map((one) => one[what]);
  console.log(what === "ms" ? "by the clock" : "of the processor");
  for (const [name, all] of [["known", some], ["unknown", others]] as const) {
    const [middle, half, wide] = [mean(all), median(all), spread(all)]
      .map((ms) => `${ms.toFixed(2)} ms`);
    console.log(
      `  ${name.padEnd(8)} mean ${middle}, median ${half}, spread ${wide}`,
    );
  }
  const difference = mean(some) - mean(others);
  const doubt = Math.hypot(spread(some), spread(others)) / Math.sqrt(tries);
  console.log(
    `  difference of means ${difference.toFixed(2)} ms, ` +
      `standard error ${doubt.toFixed(2)} ms`,
  );
}
