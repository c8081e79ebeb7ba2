/**
 * How grave an event is: four of syslog's words, which journald filters by.
 * What `alarm: true` marks is an error, whatever its name.
 */

/** From grave to harmless. */
export type Severity = "error" | "warning" | "notice" | "info";

/** As syslog numbers them (RFC 5424 §6.2.1). */
export const PRIORITIES: Readonly<Record<Severity, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
};

/** Events that are more than `info`, which is what nobody need look at. */
export const GRAVE: Readonly<
  Record<Exclude<Severity, "info">, readonly string[]>
> = {
  // Something of ours is broken, or mail may not be what it should be.
  error: [
    "cannot-start",
    "delivery-failed",
    "envelope-forged",
    "gate-database-damaged",
    "gate-not-kept",
    "ipc-breach",
    "key-not-destroyed",
    "message-corrupt",
    "message-damaged",
    "overwrite-failed",
    "page-failed",
    "passwords-faulty",
    "passwords-unreadable",
    "queue-fault",
    "queue-log-lost",
    "renew-refused",
    "role-died",
    "role-failed",
    "role-killed",
    "segment-not-erased",
    "smarthost-login-refused",
    "spool-unhealthy",
    "sync-failed",
    "tls-not-offered",
    "upgrade-undone",
  ],
  // It goes on, worse than it should.
  warning: [
    "accept-failed",
    "alias-target-unknown",
    "auth-locked",
    "checkpoint-failed",
    "clock-jumped",
    "console-refused",
    "content-missing",
    "content-missing-total",
    "copy-on-write",
    "delivery-unknown",
    "dns-bogus",
    "dns-forwarder-strips",
    "dnsbl-silent",
    "double-bounce",
    "events-failing",
    "forget-late",
    "free-space-unknown",
    "gate-not-written",
    "gate-silent",
    "leftover-file",
    "log-dropped",
    "mailbox-not-made",
    "never-acknowledged",
    "order-unreadable",
    "pickup-waits",
    "queue-check-skipped",
    "queue-id-taken",
    "refusals-not-logged",
    "segment-stays",
    "shred-late",
    "spool-foreign-files",
    "sts-not-kept",
    "sts-policy-failed",
    "sync-role-hangs",
    "sync-unavailable",
    "text",
    "tls-report-not-sent",
    "upgrade-not-forgotten",
    "verdicts-not-logged",
    "warning",
  ],
  // What an administrator did, or would want to know of mail.
  notice: [
    "auth-denied",
    "client-said",
    "console-order",
    "console-signed-in",
    "console-signed-out",
    "destination-back",
    "destination-dead",
    "dnsbl-answers",
    "drop-removed",
    "events-recovered",
    "gate-answers",
    "login-failed",
    "message-deleted",
    "message-expired",
    "message-held",
    "message-read",
    "message-refused",
    "message-released",
    "message-rerouted",
    "message-retried",
    "notice-deferred",
    "notice-withheld",
    "passwords-moved",
    "proxy-header-refused",
    "queue-flushed",
    "queue-recovered",
    "queue-upgraded",
    "ready",
    "recipient-deferred",
    "recipient-failed",
    "renewed",
    "restore-ended",
    "rights-changed",
    "spool-healthy",
    "starting",
    "stopped",
    "stopping",
    "upgrade-forgotten",
    "upgrade-well",
    "upgraded",
    "upgrading",
  ],
};

const BY_EVENT: ReadonlyMap<string, Severity> = new Map(
  Object.entries(GRAVE).flatMap(([severity, events]) =>
    events.map((event) => [event, severity as Severity] as const)
  ),
);

/** The severity of an event. */
export function severityOf(event: string, isAlarm: boolean): Severity {
  return isAlarm ? "error" : BY_EVENT.get(event) ?? "info";
}
