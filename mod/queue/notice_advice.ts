/** What a sender can do about a failure, by its enhanced status code. Pure. */

/** By subject and detail of RFC 3463 §3, and of RFC 7505, RFC 7504, RFC 8689. */
const BY_DETAIL = new Map(
  [
    ["1.2", "domain"],
    ["1.10", "domain"],
    ["2.2", "full"],
    ["2.3", "large"],
    ["3.4", "large"],
    ["4.4", "domain"],
    ["4.6", "loop"],
    ["4.7", "expired"],
    ["6.7", "international"],
    ["7.10", "protection"],
    ["7.30", "protection"],
  ] as const,
);

/** By subject alone. */
const BY_SUBJECT = new Map(
  [
    ["1", "address"],
    ["6", "content"],
    ["7", "policy"],
  ] as const,
);

type Cause =
  | (typeof BY_DETAIL extends Map<string, infer C> ? C : never)
  | (typeof BY_SUBJECT extends Map<string, infer C> ? C : never)
  | "unknown";

/**
 * One or two sentences.
 *
 * @param keepers Whom to show the notice, such as `postmaster@remote.test`
 */
export function adviceFor(enhanced: string, keepers: string): string {
  const show = `show them this message: ${keepers}.`;
  switch (causeOf(enhanced)) {
    case "address":
      return "Look how the address is spelt. If it is right, ask its owner in " +
        "another way for the one that is in use.";
    case "domain":
      return "Look how the part behind the @ is spelt: no mail can be sent " +
        "there.";
    case "full":
      return "The mailbox is full. Tell its owner in another way, or send it " +
        "again later.";
    case "large":
      return "Send less at once, or put it where it can be fetched from: this " +
        "is more than is taken there.";
    case "loop":
      return "Mail for this address goes round in a circle. Those who look " +
        `after it can mend that; ${show}`;
    case "expired":
      return "Send it again if it still matters. If that fails too, ask its " +
        "owner in another way.";
    case "international":
      return "The server over there cannot take addresses or headers beyond " +
        "ASCII. Send it with plain ones.";
    case "protection":
      return "You asked for protection on the whole way, and it ends before " +
        "the server over there. Send it without that demand, or not at all.";
    case "content":
      return "The server over there cannot take the message in this form. " +
        "Send it as plainer text, or its attachments in another way.";
    case "policy":
      return "The server over there does not want this message. Those who run " +
        `it decide that; ${show}`;
    case "unknown":
      return `If those who run the server can tell you more, ${show}`;
  }
}

function causeOf(enhanced: string): Cause {
  const [, subject = "", detail = ""] = enhanced.split(".");
  const byDetail: ReadonlyMap<string, Cause> = BY_DETAIL;
  const bySubject: ReadonlyMap<string, Cause> = BY_SUBJECT;
  return byDetail.get(`${subject}.${detail}`) ?? bySubject.get(subject) ??
    "unknown";
}
