/** Writes one message into the `tmp` of all its mailboxes, reading it once. */
import type { AskedOf } from "../ipc/call.ts";
import type { Breather } from "./breather.ts";
import { ContentRewriter } from "./content_rewriter.ts";
import type { Content, OpenContent } from "./content.ts";
import { type Begun, Draft } from "./draft.ts";
import type { Earlier } from "./earlier.ts";
import { type FileNames, jobName } from "./file_name.ts";
import type { MailFiles } from "./mail_files.ts";
import type { Mailboxes } from "./mailboxes.ts";
import type { maildirContract } from "./maildir_ipc.ts";
import type { TmpCleaner } from "./tmp_cleaner.ts";

/** One message and its mailboxes. */
export type Delivery = AskedOf<typeof maildirContract.calls.deliver>;

/** What delivery works with. */
export interface Tools {
  readonly files: MailFiles;
  readonly mailboxes: Mailboxes;
  readonly names: FileNames;
  readonly openContent: OpenContent;
  readonly earlier: Earlier;
  readonly cleaner: Pick<TmpCleaner, "visit">;
  readonly breather: Breather;
}

/** Files in `tmp`, one a recipient, in their order; or a damaged message. */
export type Drafts =
  | { readonly kind: "drafts"; readonly drafts: readonly Draft[] }
  | { readonly kind: "damaged"; readonly why: string };

type Recipient = Delivery["recipients"][number];

/**
 * Writes `delivery` into `tmp`; what fails, fails its own draft only. Of a
 * repeated one, what is in its mailbox already is not written again.
 */
export async function writeDrafts(
  delivery: Delivery,
  tools: Tools,
): Promise<Drafts> {
  const known = delivery.isRepeat
    ? await Promise.all(
      delivery.recipients.map((recipient) =>
        find(delivery.queueId, recipient, tools)
      ),
    )
    : [];
  const drafts = delivery.recipients.map((recipient, at) => {
    const job = jobName(delivery.queueId, recipient.ordinal);
    return new Draft({
      address: recipient.address,
      queueId: delivery.queueId,
      ordinal: recipient.ordinal,
      files: tools.files,
      earlier: tools.earlier,
      begun: known[at] ?? begin(recipient.mailbox, job, tools),
    });
  });
  if (!drafts.some((draft) => draft.isOpen)) return { kind: "drafts", drafts };
  const content = tools.openContent(delivery.ref, delivery.key);
  const damage = await copy(content, { delivery, drafts, tools });
  content.close();
  if (damage === undefined) return { kind: "drafts", drafts };
  for (const draft of drafts) draft.abandon();
  return { kind: "damaged", why: damage };
}

/** Looks for the file of an earlier delivery; undefined if there is none. */
async function find(
  queueId: string,
  { mailbox: name, ordinal }: Recipient,
  tools: Tools,
): Promise<Begun | undefined> {
  const opened = tools.mailboxes.open(name, Date.now());
  if (!opened.ok) return { failure: opened.failure };
  const mailbox = opened.value;
  const found = await tools.earlier.find(mailbox, jobName(queueId, ordinal));
  // Not to know is no reason for a second copy: it is asked for again.
  if (!found.ok) return { failure: found.failure };
  return found.value && { mailbox, found: found.value };
}

function begin(
  name: Recipient["mailbox"],
  job: string,
  tools: Tools,
  isAgain = false,
): Begun {
  const nowMs = Date.now();
  const opened = tools.mailboxes.open(name, nowMs);
  if (!opened.ok) return { failure: opened.failure };
  const mailbox = opened.value;
  tools.cleaner.visit(mailbox, nowMs);
  const fileName = tools.names.next(job, nowMs);
  const created = tools.files.create(`${mailbox.tmp}/${fileName}`);
  if (created.ok) return { mailbox, fileName, file: created.value };
  if (created.failure.kind !== "missing" || isAgain) {
    return { failure: created.failure };
  }
  // Somebody removed the mailbox while we remembered it: make it again, once.
  tools.mailboxes.forget(name);
  return begin(name, job, tools, true);
}

/** Reads to the end; returns what is wrong with the record, if anything. */
async function copy(
  content: Content,
  job: { delivery: Delivery; drafts: readonly Draft[]; tools: Tools },
): Promise<string | undefined> {
  const { drafts, tools } = job;
  const rewriter = new ContentRewriter(
    drafts.map((draft) => draft.address),
    { keepsText: job.delivery.bodyType === "binarymime" },
  );
  let isFirst = true;
  while (drafts.some((draft) => draft.isOpen)) {
    const step = content.next();
    if (step.kind === "damaged") return step.why;
    if (step.kind === "failed") {
      for (const draft of drafts) if (draft.isOpen) draft.fail(step.failure);
      return undefined;
    }
    const octets = step.kind === "end"
      ? rewriter.end()
      : rewriter.push(step.octets);
    for (const draft of drafts) {
      if (!draft.isOpen) continue;
      if (rewriter.isLoop(draft.address)) draft.failAsLoop();
      // The head goes out with the first octets: one write(2) a small message.
      draft.write(isFirst ? withHead(octets, job.delivery, draft) : octets);
    }
    isFirst = false;
    if (step.kind === "end") return undefined;
    await tools.breather.breathe();
  }
  return undefined;
}

/**
 * The fields that final delivery adds: `Return-Path` first (RFC 5321 §4.4),
 * and `Delivered-To`, which is how a loop is found when it comes round.
 */
function withHead(
  octets: Uint8Array,
  delivery: Delivery,
  draft: Draft,
): Uint8Array {
  const head = encoder.encode(
    `Return-Path: <${delivery.reversePath}>\nDelivered-To: ${draft.address}\n`,
  );
  const whole = new Uint8Array(head.length + octets.length);
  whole.set(head);
  whole.set(octets, head.length);
  return whole;
}

const encoder = new TextEncoder();
