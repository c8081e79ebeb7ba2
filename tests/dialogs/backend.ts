/** What the roles behind smtpd say in a dialog. */
import { resolveRecipient } from "../../mod/resolve/recipient.ts";
import { buildTables } from "../../mod/resolve/tables.ts";
import type { FakeBackend } from "../../mod/smtpd/fake_backend.ts";

/**
 * A small installation: `me` and `you` have a mailbox at home.test, and
 * everybody has one at any.test.
 */
const TABLES = buildTables({
  hostname: "mx.home.test",
  localDomains: ["home.test", "any.test"],
  mailboxes: [
    { domain: "home.test", user: "me" },
    { domain: "home.test", user: "you" },
  ],
  aliases: [{ name: "@any.test", targets: ["me@home.test"] }],
  recipientDelimiter: "+",
  postmaster: { domain: "home.test", user: "me" },
  routes: [],
  relayDomains: [],
  maxTargets: 1_000,
});

/** The real tables answer for resolve; spool and queue are fakes. */
export function stageBackend(backend: FakeBackend): void {
  backend.answers.recipient = (address) => {
    const verdict = resolveRecipient(TABLES, { address });
    return Promise.resolve(
      "refusal" in verdict
        ? { kind: "refused", refusal: verdict.refusal }
        : { kind: "answered", answer: verdict.answer },
    );
  };
}
