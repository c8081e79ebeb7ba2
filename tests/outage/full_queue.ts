/** A queue's files, made as a former queue would have left them, but quickly. */
import { newQueueId } from "../../mod/core/ids.ts";
import { ownOutcome } from "../../mod/core/outcome.ts";
import { openDatabase } from "../../mod/queue/database_io.ts";
import { KeyFile } from "../../mod/queue/keys_io.ts";
import { tempDir } from "../../mod/queue/laboratory.ts";
import { newMessage, newRecipient } from "../../mod/queue/message.ts";
import { Store } from "../../mod/queue/store_io.ts";

const PER_TRANSACTION = 5_000;
const CLIENT = {
  address: "::1",
  helo: "client.test",
  protocol: "ESMTP",
  login: "",
};
const NOT_NOW = ownOutcome("temporary", 451, "4.4.1", "not now");

/** What is to be in it. */
export interface Filling {
  readonly messages: number;
  /** The recipient of each. */
  readonly to: (n: number) => string;
  /** All were tried once, and are due. */
  readonly dueMs: number;
}

/** Returns the directory of a queue with so many deferred messages. */
export function fullQueue({ messages, to, dueMs }: Filling): string {
  const dir = tempDir();
  const keys = new KeyFile(`${dir}/keys`);
  const store = new Store(openDatabase(dir), { add: () => {} });
  const key = crypto.getRandomValues(new Uint8Array(32));
  for (let from = 1; from <= messages; from += PER_TRANSACTION) {
    store.transaction(() => {
      const end = Math.min(from + PER_TRANSACTION, messages + 1);
      for (let n = from; n < end; n++) {
        const slot = keys.take();
        const id = newQueueId();
        keys.write(slot, id, key);
        const recipient = newRecipient(0, to(n));
        const message = newMessage({
          n,
          id,
          slot,
          ref: {
            segment: `seg-${n >> 12}`,
            offset: (n & 4_095) * 2_200,
            length: 2_100,
            sizeBytes: 2_048,
          },
          reversePath: "amy@sender.test",
          bodyType: "7bit",
          arrivedMs: dueMs - 3_600_000,
        }, [recipient]);
        store.insert(message, "queued", CLIENT);
        Object.assign(recipient, {
          attempts: 1,
          nextMs: dueMs,
          last: NOT_NOW,
        });
        store.updateRecipient(n, { ...recipient, state: "deferred" });
        store.park(n, dueMs);
      }
    });
  }
  store.setLastSeen(dueMs);
  store.close();
  keys.close();
  return dir;
}
