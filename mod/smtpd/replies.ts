/**
 * Every reply that smtpd gives, in one place. Texts name the client's fault
 * and nothing of our policy, paths or users.
 */
import { type SmtpReply, smtpReply } from "../core/reply.ts";
import type { CommandFault } from "./command.ts";
import type { LineFault } from "./line_reader.ts";
import type { SaslFault } from "./sasl_step.ts";
import type { Spoilt } from "./data_reader.ts";
import type { Fault as ScreeningFault } from "./screening.ts";

/** Replies that never vary. */
export const REPLIES = {
  ok: smtpReply(250, "2.0.0", "Ok"),
  senderOk: smtpReply(250, "2.1.0", "Sender ok"),
  recipientOk: smtpReply(250, "2.1.5", "Recipient ok"),
  // RFC 5321 §3.5.3: a server that will not verify says 252, to everybody.
  cannotVerify: smtpReply(252, "2.0.0", "Send some mail, I will try my best"),
  help: smtpReply(
    214,
    "2.0.0",
    "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY ETRN AUTH HELP QUIT STARTTLS",
  ),
  bye: smtpReply(221, "2.0.0", "Bye"),
  goAhead: { code: 354, lines: ["End data with <CR><LF>.<CR><LF>"] },
  readyForTls: smtpReply(220, "2.0.0", "Ready to start TLS"),
  tlsActive: smtpReply(503, "5.5.1", "TLS is active already"),
  notOffered: smtpReply(502, "5.5.1", "Command not implemented"),
  sayHelloFirst: smtpReply(503, "5.5.1", "Send EHLO or HELO first"),
  tlsFirst: smtpReply(530, "5.7.0", "Send STARTTLS first"),
  loginFirst: smtpReply(530, "5.7.0", "Log in first"),
  authNeedsTls: smtpReply(538, "5.7.11", "AUTH needs TLS: send STARTTLS first"),
  authInMail: smtpReply(
    503,
    "5.5.1",
    "AUTH is not allowed during a transaction",
  ),
  loggedIn: smtpReply(503, "5.5.1", "Logged in already"),
  loggedInNow: smtpReply(235, "2.7.0", "Logged in"),
  tooManyLogins: smtpReply(421, "4.7.0", "Too many failed logins"),
  mailUnderWay: smtpReply(503, "5.5.1", "Not while mail is under way"),
  nestedMail: smtpReply(503, "5.5.1", "Sender already given"),
  needMail: smtpReply(503, "5.5.1", "Need MAIL first"),
  needRecipient: smtpReply(554, "5.5.1", "No valid recipients"),
  // RFC 3030 §2: 503 is what a chunk gets that belongs to nothing.
  chunkOfNothing: smtpReply(503, "5.5.1", "No transaction for this chunk"),
  chunksBegun: smtpReply(503, "5.5.1", "BDAT has begun this message"),
  // RFC 3030 §3.
  binaryNeedsChunks: smtpReply(503, "5.5.1", "BINARYMIME needs BDAT"),
  badChunkSize: smtpReply(501, "5.5.4", "BDAT needs a size, and perhaps LAST"),
  parameterNotOffered: smtpReply(555, "5.5.4", "Parameter was not offered"),
  // RFC 8689 §2: offered, and asked for, inside TLS only.
  requireTlsInClear: smtpReply(530, "5.7.4", "REQUIRETLS needs STARTTLS first"),
  verpNeedsSender: smtpReply(501, "5.5.4", "XVERP needs a reverse-path"),
  tooManyMails: smtpReply(421, "4.7.0", "Too many messages in one session"),
  // RFC 1985 §5.2.
  flushStarted: smtpReply(250, "2.0.0", "Queuing for node started"),
  cannotFlush: smtpReply(458, "4.3.0", "Unable to queue messages for node now"),
  flushDenied: smtpReply(459, "4.7.1", "Node not allowed"),
  etrnInMail: smtpReply(503, "5.5.1", "Not during a mail transaction"),
  tooLarge: smtpReply(552, "5.3.4", "Message too large"),
  farTooLarge: smtpReply(421, "4.3.4", "Message far too large"),
  // 452 and not 552: the client keeps the rest and tries again. RFC 5321
  // §4.5.3.1.10.
  tooManyRecipients: smtpReply(452, "4.5.3", "Too many recipients"),
  unknownRecipient: smtpReply(550, "5.1.1", "No such recipient here"),
  relayDenied: smtpReply(554, "5.7.1", "Relay access denied"),
  notYourSender: smtpReply(
    550,
    "5.7.1",
    "Sender address is none of this login's",
  ),
  cannotCheckSender: smtpReply(451, "4.4.3", "Cannot look up sender now"),
  // Aliases that loop are our configuration's fault, and will be mended.
  aliasLoop: smtpReply(451, "4.3.5", "Recipient is misconfigured here"),
  cannotResolve: smtpReply(451, "4.4.3", "Cannot look up recipient now"),
  cannotJudge: smtpReply(451, "4.7.1", "Cannot look up access rules now"),
  full: smtpReply(452, "4.3.1", "Not enough space, try again later"),
  cannotStore: smtpReply(451, "4.3.0", "Cannot store message now"),
  loop: smtpReply(554, "5.4.6", "Too many hops, mail is looping"),
  outOfStep: smtpReply(554, "5.5.0", "Commands sent too early"),
  farTooManyRecipients: smtpReply(421, "4.5.3", "Far too many recipients"),
  endlessLine: smtpReply(421, "4.5.2", "Line without an end"),
  tooManyErrors: smtpReply(421, "4.7.0", "Too many errors"),
  tooManyCommands: smtpReply(421, "4.7.0", "Too many commands without mail"),
  timeout: smtpReply(421, "4.4.2", "Timeout"),
  stopping: smtpReply(421, "4.3.2", "Service is going down"),
  tooManySessions: smtpReply(421, "4.3.2", "Too many connections, try later"),
  tooManyFromClient: smtpReply(421, "4.7.0", "Too many connections from you"),
} as const satisfies Record<string, SmtpReply>;

/** What a chunk gets that is not the last, RFC 3030 §2. */
export function chunkReply(sizeBytes: number): SmtpReply {
  return smtpReply(250, "2.0.0", `${sizeBytes} octets received`);
}

/**
 * What a client that failed a test of `screening.ts` gets: 550 for each
 * recipient, or 521 and the end.
 */
export function screeningReply(
  fault: ScreeningFault,
  code: 550 | 521,
): SmtpReply {
  return smtpReply(code, "5.7.1", SCREENING_TEXTS[fault]);
}

const SCREENING_TEXTS: Readonly<Record<ScreeningFault, string>> = {
  "pregreet": "You spoke before the greeting was complete",
  "pipelining": "You sent commands without waiting for a reply",
  "bare-newline": "You end lines without CR",
  "non-smtp-command": "You said something that is not SMTP",
};

/**
 * What a failed login gets (RFC 4954 §4 and §6): no more than that it failed,
 * and whether to come again.
 */
export function saslReply(fault: SaslFault): SmtpReply {
  switch (fault) {
    case "cancelled":
      return smtpReply(501, "5.7.0", "Authentication cancelled");
    case "not-base64":
      return smtpReply(501, "5.5.2", "Cannot decode response");
    case "malformed":
      return smtpReply(501, "5.5.2", "Response is malformed");
    case "too-long":
      return smtpReply(500, "5.5.6", "Authentication line too long");
    case "unknown-mechanism":
      return smtpReply(504, "5.5.4", "Authentication mechanism not offered");
    case "denied":
      return smtpReply(535, "5.7.8", "Authentication credentials invalid");
    case "later":
      return smtpReply(454, "4.7.0", "Cannot authenticate now, try later");
  }
}

/** What a faulty line gets. */
export function lineFaultReply(fault: LineFault): SmtpReply {
  switch (fault) {
    case "too-long":
      return smtpReply(500, "5.5.2", "Line too long");
    case "bare-lf":
      return smtpReply(500, "5.5.2", "Lines must end with CR LF");
    case "bare-cr":
    case "nul":
      return smtpReply(500, "5.5.2", "Invalid character in command");
  }
}

/** What a faulty command gets. */
export function commandFaultReply(fault: CommandFault): SmtpReply {
  switch (fault) {
    case "unknown-command":
      return smtpReply(500, "5.5.1", "Unknown command");
    case "syntax":
      return smtpReply(501, "5.5.4", "Syntax error in arguments");
    case "bad-helo":
      return smtpReply(501, "5.5.4", "Need a domain name or address literal");
    case "bad-sender":
      return smtpReply(501, "5.1.7", "Bad sender address syntax");
    case "bad-recipient":
      return smtpReply(501, "5.1.3", "Bad recipient address syntax");
    case "not-ascii":
      return smtpReply(553, "5.6.7", "Non-ASCII address without SMTPUTF8");
    case "unknown-parameter":
      return smtpReply(555, "5.5.4", "Unsupported parameter");
  }
}

/** What a message with broken line ends gets. */
export function spoiltReply(why: Spoilt): SmtpReply {
  switch (why) {
    case "bare-cr":
      return smtpReply(550, "5.6.11", "Message has a CR without LF");
    case "bare-lf":
      return smtpReply(550, "5.6.11", "Message has an LF without CR");
    case "nul":
      return smtpReply(550, "5.6.0", "Message has a NUL character");
  }
}
