/**
 * The Maildir role: turns spooled messages into files in mailboxes.
 *
 * It is handed one reference and one key at a time, reads that message and no
 * other, and can write nowhere but under the mail directory. It has no
 * network: code that reads mail here can send it nowhere.
 */
import { log } from "../core/log.ts";
import type { Outcome } from "../core/outcome.ts";
import { type RoleContext, runRole } from "../ipc/role_runtime.ts";
import { Breather } from "./breather.ts";
import { spoolContent } from "./content_io.ts";
import { Dispatcher } from "./dispatcher.ts";
import { allAtOnce, fileByFile, inPlace, type SyncPeer } from "./durability.ts";
import { Earlier } from "./earlier.ts";
import { FileNames } from "./file_name.ts";
import { realMailFiles } from "./mail_files_io.ts";
import { Mailboxes } from "./mailboxes.ts";
import { maildirContract } from "./maildir_ipc.ts";
import { prepareMailboxes } from "./prepare.ts";
import { type MaildirPart, maildirPart } from "./role.ts";
import { SocketSyncPeer } from "./sync_peer_io.ts";
import { TmpCleaner } from "./tmp_cleaner.ts";

/** Runs the role. Never returns. */
export function main(): Promise<void> {
  return runRole(maildirPart, (ctx) => {
    const peer = new SocketSyncPeer({ fd: ctx.askFd("sync") });
    const { mailDir } = ctx.part;
    const mailboxes = new Mailboxes({ mailDir, files: realMailFiles });
    const dispatcher = makeDispatcher(ctx, peer, mailboxes);
    prepareMailboxes(mailboxes, ctx.part.mailboxes);
    ctx.onRenew((part) => prepareMailboxes(mailboxes, part.mailboxes));
    ctx.answer(maildirContract, {
      deliver: async (delivery) => {
        const delivered = await dispatcher.deliver(delivery);
        if (delivered.kind === "damaged") {
          log("message-damaged", { id: delivery.queueId, why: delivered.why });
          ctx.count("damaged");
          return { refusal: "damaged" };
        }
        for (const { kind } of delivered.outcomes) ctx.count(COUNTER[kind]);
        return { answer: { outcomes: [...delivered.outcomes] } };
      },
    });
    ctx.restsWhen(() => true);
    ctx.onStop(() => dispatcher.idle());
  });
}

const COUNTER: Readonly<Record<Outcome["kind"], string>> = {
  delivered: "delivered",
  temporary: "deferred",
  permanent: "refused",
};

function makeDispatcher(
  ctx: RoleContext<MaildirPart>,
  peer: SyncPeer,
  mailboxes: Mailboxes,
): Dispatcher {
  const files = realMailFiles;
  const { spoolDir, hostname } = ctx.part;
  return new Dispatcher({
    tools: {
      files,
      mailboxes,
      names: new FileNames({ hostname }),
      openContent: spoolContent(spoolDir),
      earlier: new Earlier(files),
      cleaner: new TmpCleaner(files),
      breather: new Breather(),
    },
    lone: inPlace(files),
    alone: fileByFile(files),
    together: allAtOnce(files, peer),
    syncfsFrom: () => ctx.part.syncfsFrom,
    onBatch: (deliveries) => {
      ctx.count("batches");
      ctx.count("batched-deliveries", deliveries);
    },
  });
}
