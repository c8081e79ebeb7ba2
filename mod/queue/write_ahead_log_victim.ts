/**
 * For tests only: commits to a database, makes it forget after every few
 * commits, and kills itself with SIGKILL at a given step of that.
 *
 *     DIRECTORY STEP TIMES
 *
 * Prints the number of each message whose commit returned.
 */
import fs from "node:fs";
import { databasePath, openDatabase } from "./database_io.ts";
import { newContent } from "./laboratory.ts";
import { newMessage, newRecipient } from "./message.ts";
import { Store } from "./store_io.ts";
import { WriteAheadLog } from "./write_ahead_log_io.ts";

/** Messages that are in the database at any time. */
export const KEPT = 30;
const COMMITS = 200;
const CLIENT = {
  address: "::1",
  helo: "client.test",
  protocol: "ESMTP",
  login: "",
};

async function main(dir: string, step: string, times: number): Promise<void> {
  const db = openDatabase(dir);
  const store = new Store(db, { add: () => {} });
  const log = new WriteAheadLog(db, databasePath(dir));
  let left = times;
  log.onStep = (at) => {
    if (at === step && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
  };
  for (let n = 1; n <= COMMITS; n++) {
    commit(store, n);
    fs.writeSync(1, `${n}\n`);
    if (n % 7 === 0) await log.scrub();
    if (n % 50 === 0) log.empty();
  }
  store.close();
  log.close();
}

/** One message comes, and the oldest goes. */
export function commit(store: Store, n: number): void {
  store.transaction(() => {
    const recipients = Array.from(
      { length: 1 + n % 9 },
      (_, r) => newRecipient(r, `zq7-${"x".repeat(r * 30)}${n}@home.test`),
    );
    const facts = { n, id: `ID${n}`, slot: n, ref: newContent().ref };
    store.insert(
      newMessage({
        ...facts,
        reversePath: `zq7-${n}@sender.test`,
        bodyType: "7bit",
        arrivedMs: n,
      }, recipients),
      "queued",
      CLIENT,
    );
    if (n > KEPT) store.remove(n - KEPT);
  });
}

if (import.meta.main) {
  const [dir = "", step = "", times = "1"] = Deno.args;
  await main(dir, step, Number(times));
}
