/**
 * The one table of metrics: what each series is called, what it means, and
 * which counters of which roles feed it. `/metrics` and `docs/metrics.md` are
 * made from it.
 *
 * Labels come from this table. Where a counter's name ends in a word of a
 * role's own (`any`), that word becomes a label's value; the roles take it from
 * closed lists, never from what a client said.
 */
import type { FamilyHead, Labels } from "./metrics_format.ts";

/** A counter of some roles, and the labels that its series has. */
export interface Feed {
  readonly roles: readonly string[];
  readonly counter: string;
  readonly labels: Labels;
  /** The label of what follows `counter`, if that is the begin of a name. */
  readonly any: string | undefined;
}

/** A family that roles' counters feed. */
export interface FedFamily extends FamilyHead {
  readonly feeds: readonly Feed[];
}

const DOORS = ["smtpd", "submission"];

function feed(
  roles: string | readonly string[],
  counter: string,
  labels: Labels = {},
): Feed {
  return { roles: [roles].flat(), counter, labels, any: undefined };
}

/** All counters that begin so; the rest of the name is the label `any`. */
function feedAny(
  roles: string | readonly string[],
  counter: string,
  { any, ...labels }: { any: string } & Labels,
): Feed {
  return { roles: [roles].flat(), counter, labels, any };
}

function refusal(counter: string, layer: string, reason: string): Feed {
  return feed(DOORS, counter, { layer, reason });
}

/** Families that are fed by roles' counters, in the order of the page. */
export const FED: readonly FedFamily[] = [
  {
    name: "bulkhead_connections_total",
    type: "counter",
    help: "Connections of clients that were accepted.",
    feeds: [feed(DOORS, "connections")],
  },
  {
    name: "bulkhead_sessions",
    type: "gauge",
    help: "Sessions of clients that are open now.",
    feeds: [feed(DOORS, "sessions")],
  },
  {
    name: "bulkhead_messages_received_total",
    type: "counter",
    help: "Messages by what was said at their end: accepted (on disk), or " +
      "refused.",
    feeds: [
      feed(DOORS, "accepted", { result: "accepted" }),
      feed(DOORS, "refused", { result: "refused" }),
    ],
  },
  {
    name: "bulkhead_refusals_total",
    type: "counter",
    help: "Refusals by the layer that refused: connection, gate (tests, " +
      "lists, tables, rates, greylist), login, resolve, relay, content.",
    feeds: [
      refusal("sessions-too-many", "connection", "too-many"),
      refusal(
        "sessions-too-many-from-client",
        "connection",
        "too-many-from-client",
      ),
      refusal("proxy-faults", "connection", "proxy-header"),
      refusal("clients-refused", "gate", "client"),
      refusal("dismissed", "gate", "rate"),
      refusal("recipients-screened", "gate", "test-failed"),
      refusal("senders-judged", "gate", "sender"),
      refusal("recipients-judged", "gate", "recipient"),
      refusal("login-failures", "login", "login"),
      refusal("senders-not-yours", "login", "sender-not-yours"),
      refusal("senders-failed", "login", "no-answer"),
      refusal("recipients-unknown-recipient", "resolve", "unknown-recipient"),
      refusal("recipients-alias-loop", "resolve", "alias-loop"),
      refusal("recipients-failed", "resolve", "no-answer"),
      refusal("recipients-relay-denied", "relay", "relay-denied"),
      refusal("refused", "content", "message"),
    ],
  },
  {
    name: "bulkhead_client_tests_total",
    type: "counter",
    help: "Tests of new clients, by test and result.",
    feeds: [
      feedAny(DOORS, "passed-", { any: "test", result: "passed" }),
      feedAny(DOORS, "failed-", { any: "test", result: "failed" }),
    ],
  },
  {
    name: "bulkhead_gate_verdicts_total",
    type: "counter",
    help: "Verdicts against clients, by rule: tests, lists, tables, rates, " +
      "greylist, probes.",
    feeds: [feedAny("gate", "verdict-", { any: "rule" })],
  },
  {
    name: "bulkhead_gate_refusals_total",
    type: "counter",
    help: "What the gate refused (enforced), and would have (shadow).",
    feeds: [
      feed("gate", "refused", { mode: "enforced" }),
      feed("gate", "shadowed", { mode: "shadow" }),
    ],
  },
  {
    name: "bulkhead_gate_clients_total",
    type: "counter",
    help: "Clients that came: known from before, or new and to be tested.",
    feeds: [
      feed("gate", "known-clients", { known: "yes" }),
      feed("gate", "new-clients", { known: "no" }),
    ],
  },
  {
    name: "bulkhead_timeouts_total",
    type: "counter",
    help: "Sessions that were ended because the client was too slow.",
    feeds: [feed(DOORS, "timeouts")],
  },
  {
    name: "bulkhead_tls_inbound_total",
    type: "counter",
    help: "TLS handshakes of clients.",
    feeds: [
      feed(DOORS, "tls", { result: "ok" }),
      feed(DOORS, "tls-failed", { result: "failed" }),
    ],
  },
  {
    name: "bulkhead_logins_total",
    type: "counter",
    help: "Logins by what became of them.",
    feeds: ["granted", "denied", "locked", "busy", "unhealthy"].map((result) =>
      feed("auth", result, { result })
    ),
  },
  {
    name: "bulkhead_messages_queued_total",
    type: "counter",
    help: "Messages that the queue took responsibility for.",
    feeds: [feed("queue", "accepted")],
  },
  {
    name: "bulkhead_recipients_total",
    type: "counter",
    help: "Attempts by result, a recipient each; damaged counts messages.",
    feeds: [
      feed("queue", "delivered", { result: "delivered" }),
      feed("queue", "deferred", { result: "deferred" }),
      feed("queue", "failed", { result: "failed" }),
      feed("queue", "corrupt", { result: "damaged" }),
    ],
  },
  {
    name: "bulkhead_notices_total",
    type: "counter",
    help: "Notices to senders: recipients that were returned, delays that " +
      "were told, notices to strangers that were withheld.",
    feeds: [
      feed("queue", "bounced", { kind: "returned" }),
      feed("queue", "delays-told", { kind: "delayed" }),
      feed("queue", "notices-withheld", { kind: "withheld" }),
    ],
  },
  {
    name: "bulkhead_outbound_recipients_total",
    type: "counter",
    help: "Recipients handed to other servers, by result.",
    feeds: ["delivered", "temporary", "permanent"].map((result) =>
      feed("smtpc", result, { result })
    ),
  },
  {
    name: "bulkhead_outbound_hosts_total",
    type: "counter",
    help: "Hosts that deliveries came to, by how well the way was protected: " +
      "dane, verified, encrypted, clear; nobody: there was no connection.",
    feeds: ["dane", "verified", "encrypted", "clear", "nobody"].map((reached) =>
      feed("smtpc", `reached-${reached}`, { reached })
    ),
  },
  {
    name: "bulkhead_outbound_tls_faults_total",
    type: "counter",
    help: "What was wrong with TLS, DANE or MTA-STS of a host, in the words " +
      "of RFC 8460.",
    feeds: [feedAny("smtpc", "tls-fault-", { any: "fault" })],
  },
  {
    name: "bulkhead_outbound_sessions_reused_total",
    type: "counter",
    help: "Deliveries that went through a session kept open from before.",
    feeds: [feed("smtpc", "session-reused")],
  },
  {
    name: "bulkhead_tls_reports_total",
    type: "counter",
    help: "TLS reports to other domains (RFC 8460).",
    feeds: [
      feed("queue", "tls-reports-sent", { result: "sent" }),
      feed("queue", "tls-reports-given-up", { result: "given-up" }),
      feed("queue", "tls-reports-not-by-mail", { result: "not-by-mail" }),
    ],
  },
  {
    name: "bulkhead_mailbox_recipients_total",
    type: "counter",
    help: "Recipients delivered into mailboxes here, by result.",
    feeds: ["delivered", "deferred", "refused"].map((result) =>
      feed("maildir", result, { result })
    ),
  },
  {
    name: "bulkhead_dns_questions_total",
    type: "counter",
    help: "What other roles asked the resolver, by kind.",
    feeds: ["mail-hosts", "addresses", "tlsa", "texts", "listings"].map((
      kind,
    ) => feed("dns", `${kind}-asked`, { kind })),
  },
  {
    name: "bulkhead_dnssec_answers_total",
    type: "counter",
    help: "DNS answers by what their signatures say.",
    feeds: [feedAny("dns", "judged-", { any: "security" })],
  },
  {
    name: "bulkhead_mta_sts_policies_total",
    type: "counter",
    help: "MTA-STS policies of other domains that were asked for by HTTPS.",
    feeds: [
      feed("sts", "policies-fetched", { result: "fetched" }),
      feed("sts", "policies-failed", { result: "failed" }),
    ],
  },
  {
    name: "bulkhead_spool_stored_total",
    type: "counter",
    help: "Contents stored in the spool.",
    feeds: [feed("spool", "stored")],
  },
  {
    name: "bulkhead_spool_stored_bytes_total",
    type: "counter",
    help: "Octets stored in the spool.",
    feeds: [feed("spool", "stored-octets")],
  },
  {
    name: "bulkhead_spool_refusals_total",
    type: "counter",
    help: "Contents that the spool could not take: full, or unhealthy.",
    feeds: [feedAny("spool", "refused-", { any: "reason" })],
  },
  {
    name: "bulkhead_erasure_backlog_segments",
    type: "gauge",
    help: "Spent segments that wait to be overwritten.",
    feeds: [feed("spool", "spent-files")],
  },
  {
    name: "bulkhead_erased_bytes_total",
    type: "counter",
    help: "Octets of spent segments that were overwritten.",
    feeds: [feed("shred", "overwritten-octets")],
  },
  {
    name: "bulkhead_erasures_total",
    type: "counter",
    help: "Segments overwritten and read back, and those that failed.",
    feeds: [
      feed("shred", "overwritten", { result: "overwritten" }),
      feed("shred", "failed", { result: "failed" }),
    ],
  },
  {
    name: "bulkhead_console_requests_total",
    type: "counter",
    help: "Requests to the console, these pages too.",
    feeds: [feed("console", "requests")],
  },
];
