/** Deliveries, contents and tools for tests. */
import { Breather } from "./breather.ts";
import type { Content, OpenContent } from "./content.ts";
import type { Delivery, Tools } from "./draft_writer.ts";
import { Earlier } from "./earlier.ts";
import { FileNames } from "./file_name.ts";
import type { MailFiles } from "./mail_files.ts";
import { Mailboxes } from "./mailboxes.ts";
import { TmpCleaner } from "./tmp_cleaner.ts";

/** A message for tests, as it comes from the spool. */
export const MESSAGE = "Received: from a\r\n by b\r\nSubject: hello\r\n\r\n" +
  "one\r\n.two\r\n";

/** The same in a mailbox, below the head. */
export const STORED = MESSAGE.replaceAll("\r\n", "\n");

/** The lines that delivery adds for the address. */
export function headFor(address: string): string {
  return `Return-Path: <sender@remote.test>\nDelivered-To: ${address}\n`;
}

/** A content that yields `text` cut into `cut` octets a step. */
export function contentOf(text: string, cut = Infinity): OpenContent {
  const octets = new TextEncoder().encode(text);
  return (): Content => {
    let at = 0;
    let isClosed = false;
    return {
      next() {
        if (isClosed) throw new Error("read after close");
        if (at >= octets.length) return { kind: "end" };
        const part = octets.slice(at, at + cut);
        at += part.length;
        return { kind: "octets", octets: part };
      },
      close: () => void (isClosed = true),
    };
  };
}

/** A delivery to the given users of home.test. */
export function deliveryTo(...users: string[]): Delivery {
  return {
    queueId: "0123456789ABCDEF",
    ref: { segment: "s1", offset: 0, length: 200, sizeBytes: MESSAGE.length },
    key: "A".repeat(43) + "=",
    bodyType: "7bit",
    reversePath: "sender@remote.test",
    recipients: users.map((user, ordinal) => ({
      mailbox: { domain: "home.test", user },
      address: `${user}@home.test`,
      ordinal,
    })),
    isRepeat: false,
  };
}

/** Everything that delivery works with, on the given file system. */
export function toolsOn(
  files: MailFiles,
  mailDir: string,
  openContent: OpenContent = contentOf(MESSAGE),
): Tools {
  return {
    files,
    mailboxes: new Mailboxes({ mailDir, files }),
    names: new FileNames({ hostname: "mx.home.test" }),
    openContent,
    earlier: new Earlier(files),
    cleaner: new TmpCleaner(files),
    breather: new Breather(),
  };
}
