/** What the roles behind smtpd say in a dialog. */
import { resolveRecipient, resolveRelay } from "../../mod/resolve/recipient.ts";
import { resolveSender } from "../../mod/resolve/sender.ts";
import { buildTables } from "../../mod/resolve/tables.ts";
import {
  type FakeBackend,
  FakeSubmissionBackend,
} from "../../mod/smtpd/fake_backend.ts";
import type { SaslAnswer, SaslQuestion } from "../../mod/smtpd/sasl_step.ts";

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

/** The real tables answer for resolve; spool, queue and auth are fakes. */
export function stageBackend(backend: FakeBackend): void {
  backend.answers.recipient = (address) =>
    Promise.resolve(replyOf(resolveRecipient(TABLES, { address })));
  if (!(backend instanceof FakeSubmissionBackend)) return;
  backend.forLogins = {
    login: (question) => Promise.resolve(loginAnswer(question)),
    relay: (address) =>
      Promise.resolve(replyOf(resolveRelay(TABLES, { address }))),
    sender: (address, login) =>
      Promise.resolve(replyOf(resolveSender(TABLES, { address, login }))),
  };
}

function replyOf<A, R>(verdict: { answer: A } | { refusal: R }) {
  return "refusal" in verdict
    ? { kind: "refused", refusal: verdict.refusal } as const
    : { kind: "answered", answer: verdict.answer } as const;
}

/** Knows one password; no proof of SCRAM's proves anything. */
function loginAnswer({ call, ask }: SaslQuestion): SaslAnswer {
  switch (call) {
    case "password": {
      const isRight = ask.login === "me@home.test" &&
        ask.password === "a password";
      const mailbox = { domain: "home.test", user: "me" };
      return isRight
        ? {
          call,
          reply: { kind: "answered", answer: { mailbox, appPassword: "" } },
        }
        : { call, reply: { kind: "refused", refusal: "denied" } };
    }
    case "scramFirst": {
      const nonce = /,r=([^,]*)/.exec(ask.clientFirstBare)?.[1] ?? "";
      const serverFirst = `r=${nonce}ours,s=c2FsdHNhbHQ=,i=4096`;
      return {
        call,
        reply: { kind: "answered", answer: { exchange: "x", serverFirst } },
      };
    }
    case "scramFinal":
      return { call, reply: { kind: "refused", refusal: "denied" } };
  }
}
