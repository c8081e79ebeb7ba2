/**
 * What a cause means, in one sentence, and what can be done about it. Pure.
 * Every sentence stands behind a colon or alone, and ends with a full stop.
 */
import type { Cause } from "./cause.ts";
import { word } from "./command.ts";
import type { Advice } from "./journey.ts";

/** What sentences and commands name. */
export interface About {
  /** Empty if the message was never taken. */
  readonly queueId: string;
  readonly recipient: string;
  /** The host that had the last word; empty if it was us. */
  readonly host: string;
  /** True if it is not tried again. */
  readonly isOver: boolean;
}

/** A cause in words. */
export interface Meaning {
  readonly says: string;
  readonly advice: readonly Advice[];
}

/** See the file's head. */
export function meaningOf(cause: Cause, about: About): Meaning {
  const { queueId, recipient, host } = about;
  const domain = domainOf(recipient);
  const who = host === "" ? "the other server" : host;
  const now: Advice = {
    text: "If it was mended, do not wait for the next attempt.",
    command: `bulkhead queue retry ${queueId}`,
  };
  const look: Advice = {
    text: `See what stands in the DNS of ${domain}, and how its servers ` +
      "answer now.",
    command: `bulkhead tls ${word(domain, "DOMAIN")}`,
  };
  const otherWay: Advice = {
    text: "Send it another way, if you know one.",
    command: `bulkhead queue reroute ${queueId} HOST:PORT`,
  };
  const ask = (text: string): Advice => ({ text, command: "" });
  const retries = (...more: Advice[]) => about.isOver ? more : [...more, now];
  const is = (says: string, ...advice: Advice[]): Meaning => ({ says, advice });
  switch (cause) {
    case "no-domain":
      return is(
        `The domain ${domain} does not exist, or has no server for mail.`,
        ask("Look how the address is spelt behind the @."),
        look,
      );
    case "null-mx":
      return is(
        `The domain ${domain} says in its DNS that it takes no mail.`,
        ask("Look how the address is spelt behind the @."),
      );
    case "dns-later":
      return is(
        `The DNS did not answer about ${domain}.`,
        ...retries(look),
      );
    case "dnssec-bogus":
      return is(
        `The DNSSEC signatures of ${domain} are wrong (bogus), so nobody can ` +
          "tell where its mail goes. Either its DNS is broken, or somebody " +
          "forges it.",
        look,
        ask(`Only those who run the DNS of ${domain} can mend that.`),
      );
    case "connection-refused":
      return is(
        `${who} is up, but nothing takes mail at that port (connection ` +
          "refused).",
        ...retries(look, otherWay),
      );
    case "no-connection":
      return is(
        `There was no connection to ${who}: it is down or unreachable, or ` +
          "port 25 is blocked on the way.",
        ...retries(
          look,
          ask(
            "If this is so with every server, your provider blocks port 25: " +
              "use a smarthost (outbound.smarthost).",
          ),
        ),
      );
    case "no-answer":
      return is(
        `${who} did not answer in time; the connection stood, but it was ` +
          "silent (timeout).",
        ...retries(look),
      );
    case "connection-lost":
      return is(
        `${who} broke the connection off in the middle.`,
        ...retries(look),
      );
    case "no-way":
      return is(
        `None of the addresses of ${domain} may be connected to from here.`,
        look,
      );
    case "dead":
      return is(
        "Its server could not be reached over and over, so all mail for it " +
          "rests, and one delivery tries again when that is over.",
        ...retries(look),
      );
    case "crowded":
      return is(
        "Nothing is wrong: many messages wait for the same server, and it " +
          "gets only some at a time.",
      );
    case "loop-to-us":
      return is(
        `The mail servers of ${domain} are this server itself, and it does ` +
          "not know that the domain is its own.",
        ask(
          `If ${domain} is yours, add it to server.local_domains or ` +
            "server.relay_domains; if not, its MX record is wrong.",
        ),
      );
    case "alias-loop":
      return is(
        "The aliases of this address lead back to themselves, or nowhere.",
        ask("Mend the entry in [aliases]."),
      );
    case "unroutable":
      return is("Nobody knows where mail for this address goes.", look);
    case "no-starttls":
      return is(
        `TLS is demanded for ${domain}, and ${who} does not offer it ` +
          "(STARTTLS is missing). Somebody on the way may have removed it. " +
          "The message was not sent in the clear.",
        ...retries(look),
      );
    case "dane-mismatch":
      return is(
        `The certificate of ${who} does not match the TLSA records in its ` +
          "DNS (DANE). The message was not given to a server that may be " +
          "somebody else's.",
        ask(
          `Tell those who run ${who}: most often a new certificate was ` +
            "installed without new TLSA records.",
        ),
        ...retries(look),
      );
    case "dane-missing":
      return is(
        `DANE is demanded for ${domain}, and the DNS has no TLSA records of ` +
          `${who} that can be used and that DNSSEC vouches for.`,
        ...retries(look),
      );
    case "dane-lookup":
      return is(
        `Whether ${who} must prove itself by DANE could not be looked up, so ` +
          "the message waits.",
        ...retries(look),
      );
    case "sts-host":
      return is(
        `The MTA-STS policy of ${domain} does not name ${who}, so the ` +
          "message was not given to it.",
        ask(
          `Those who run ${domain} must add the host to their policy, or ` +
            "take it out of their MX records.",
        ),
        ...retries(look),
      );
    case "sts-later":
      return is(
        "Whether an MTA-STS policy is in force could not be found out.",
        ...retries(look),
      );
    case "certificate-expired":
      return is(
        `The certificate of ${who} has expired or is not valid yet, and a ` +
          "good one is demanded.",
        ask(`Those who run ${who} must renew it; look at your own clock, too.`),
        ...retries(look),
      );
    case "certificate-name":
      return is(
        `The certificate of ${who} is for another name, and a good one is ` +
          "demanded.",
        ...retries(look),
      );
    case "certificate-untrusted":
      return is(
        `No authority that is known here vouches for the certificate of ${who}, ` +
          "and a good one is demanded.",
        ...retries(look),
      );
    case "certificate-wrong":
      return is(
        `${who} does not prove who it is: its certificate, or one of those ` +
          "that vouch for it, is not good for that.",
        ...retries(look),
      );
    case "fingerprint":
      return is(
        `${who} shows another certificate than the one that is pinned in ` +
          "[destinations].",
        ask("If it was renewed, change the fingerprint in [destinations]."),
        ...retries(look),
      );
    case "handshake":
      return is(
        `TLS is demanded, and the TLS handshake with ${who} failed.`,
        ...retries(look),
      );
    case "requiretls":
      return is(
        "Its sender demanded protection on the whole way (REQUIRETLS), and " +
          `${who} cannot give it.`,
        ask("The sender may send it again without that demand."),
      );
    case "login-refused":
      return is(
        `${who} refused our user name or password (smarthost login).`,
        ask(
          "Mend the user name in outbound.smarthost and the file that " +
            "outbound.smarthost_password_file names.",
        ),
        ...retries(),
      );
    case "login-failed":
      return is(
        `We could not log in to ${who}.`,
        ask("Look at the smarthost's settings in [outbound]."),
        ...retries(),
      );
    case "no-such-user":
      return is(
        `There is no such user at ${domain}: ${who} does not know ` +
          `${recipient}.`,
        ask("Look how the address is spelt; ask its owner in another way."),
      );
    case "no-such-user-here":
      return is(
        `There is no mailbox and no alias for ${recipient} on this server ` +
          "(any more).",
        {
          text: "Make the mailbox, or an alias in [aliases].",
          command: `bulkhead user add ${word(recipient, "ADDRESS")}`,
        },
      );
    case "moved":
      return is(
        `${recipient} has moved: ${who} says where to in its own words.`,
        ask("Send it to the new address."),
      );
    case "disabled":
      return is(`The mailbox of ${recipient} is switched off over there.`);
    case "full":
      return is(
        `The mailbox of ${recipient} is full.`,
        ask("Tell its owner in another way."),
        ...retries(),
      );
    case "full-here":
      return is(
        `The mailbox of ${recipient} on this server is full (quota).`,
        ask("Make room in it, or give it more."),
        ...retries(),
      );
    case "disk-full-here":
      return is(
        "The disk of this server is full.",
        ask("Make room on it."),
        ...retries(),
      );
    case "broken-here":
      return is(
        "This server could not write to the mailbox.",
        {
          text: "See what is wrong with directories and permissions.",
          command: "bulkhead check",
        },
        ...retries(),
      );
    case "bad-address":
      return is(
        `${recipient} is no address that can be sent to, says ${who}.`,
        ask("Look how the address is spelt."),
      );
    case "too-large":
      return is(
        `The message is larger than ${who} takes.`,
        ask("Send less at once, or put it where it can be fetched from."),
      );
    case "eight-bit":
      return is(
        `${who} takes seven-bit messages only, and this one could not be ` +
          "converted.",
        ask("Send it as plainer text, or signed after conversion."),
      );
    case "binary":
      return is(
        `The message is binary, and ${who} takes none such.`,
        ask("Send it in base64, as mail programs do by themselves."),
      );
    case "international":
      return is(
        "An address or header is beyond ASCII, and " +
          `${who} cannot take that (SMTPUTF8).`,
        ask("Use plain addresses for this recipient."),
      );
    case "content":
      return is(
        `${who} does not take the message in this form.`,
        ask("Send it as plainer text, or its attachments in another way."),
      );
    case "loop":
      return is(
        "The message runs in a circle: it came through too many servers, or " +
          "came back to where it was.",
        ask("Find the two places that forward to each other."),
      );
    case "damaged":
      return is(
        "Its record in the spool cannot be read.",
        {
          text: "See whether disk and spool are sound.",
          command: "bulkhead check",
        },
      );
    case "greylisted":
      return is(
        `${who} asks to come again later, as it does with senders that it ` +
          "does not know yet (greylisting). That is usual, and passes by " +
          "itself.",
      );
    case "listed":
      return is(
        `${who} does not take mail from our address: it stands on a list of ` +
          "unwanted senders.",
        ask(
          "Ask to be taken off the list that its words name; until then a " +
            "smarthost (outbound.smarthost) has another address.",
        ),
      );
    case "reverse-name":
      return is(
        `${who} does not like that our address has no name, or another one, ` +
          "in the reverse DNS.",
        {
          text: "Have your provider set the reverse name (PTR) to this " +
            "server's name.",
          command: "bulkhead check",
        },
      );
    case "authentication":
      return is(
        `${who} found that the message does not prove its sender's domain ` +
          "(SPF, DKIM or DMARC).",
        {
          text: "Look at the DNS records of the sender's domain.",
          command: "bulkhead check",
        },
      );
    case "spam":
      return is(
        `${who} takes the message for junk.`,
        ask("Ask those who run it, with the reply above."),
      );
    case "too-many":
      return is(
        `${who} wants fewer messages or connections at a time.`,
        ask(
          "If it goes on, set max_sessions or interval for it in " +
            "[destinations].",
        ),
      );
    case "they-want-tls":
      return is(
        `${who} takes mail only over TLS.`,
        ask(`Set tls = "encrypt" for it in [destinations].`),
        look,
      );
    case "they-want-login":
      return is(
        `${who} takes mail only of users that log in.`,
        ask(
          "If it is your smarthost, name a user in outbound.smarthost; if not, " +
            "the route to it is wrong.",
        ),
      );
    case "relay-denied":
      return is(
        `${who} says that mail for ${domain} is none of its business.`,
        ask(`Its MX record or your route points to the wrong server.`),
        look,
      );
    case "bad-sender":
      return is(
        `${who} does not take mail of this sender's address.`,
        ask("See that the sender's domain exists and takes mail."),
      );
    case "policy":
      return is(
        `${who} does not want this message: a rule of its own.`,
        ask("Those who run it decide that; show them its reply."),
      );
    case "they-are-full":
      return is(`The disk of ${who} is full.`, ...retries());
    case "they-are-busy":
      return is(`${who} is too busy or stopping just now.`, ...retries());
    case "they-fail":
      return is(`Something is wrong at ${who} just now.`, ...retries());
    case "given-up":
      return is("An administrator of this server gave it up.");
    case "expired":
      return is("It was tried for as long as queue.expire says, in vain.");
    case "protocol":
      return is(
        `${who} answered something that makes no sense in SMTP.`,
        ...retries(look),
      );
    case "other-temporary":
      return is(`${who} does not take it now.`, ...retries());
    case "other-permanent":
      return is(`${who} does not take it.`);
  }
}

/** The part behind the last @. */
function domainOf(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? address : address.slice(at + 1);
}
