/** Local delivery: turns spooled messages into Maildir files. */
import { int, list, object, text, type z } from "../ipc/schema.ts";
import { mailbox } from "../core/shapes.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** maildir's part of the configuration. */
export const maildirPart = object({
  hostname: text({ min: 1, max: 255 }),
  /** Mailboxes are `mailDir/DOMAIN/USER`. */
  mailDir: text({ min: 1, max: 4_096 }),
  spoolDir: text({ min: 1, max: 4_096 }),
  /** Mailboxes of the users file, to be made before mail comes. */
  mailboxes: list(mailbox, { max: 100_000 }),
  /** Deliveries to wait for before one syncfs(2) is cheaper than many syncs. */
  syncfsFrom: int({ min: 2, max: 1_000 }),
});

/** See {@link maildirPart}. */
export type MaildirPart = z.infer<typeof maildirPart>;

/** The manifest. */
export const maildirRole: RoleManifest = {
  name: "maildir",
  job: "delivers into mailboxes",
  trust: 2,
  asks: ["sync"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.spoolDir, site.mailDir],
    write: [site.mailDir],
    connect: [],
  }),
  heapMb: 512,
  openFiles: 4_096,
  part: maildirPart,
  groups: ["content"],
};
