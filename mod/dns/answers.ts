/** Answers about TLSA, text and, for people, anything. Pure. */
import type { AskedOf, Verdict } from "../ipc/call.ts";
import type { dnsContract } from "./dns_ipc.ts";
import { TYPE } from "./message.ts";
import type { Looked, Lookups } from "./lookups.ts";
import { hostName } from "./name.ts";
import { recordText } from "./rdata.ts";
import type { Explained } from "./resolver.ts";
import { rcodeText } from "./usable.ts";

type Calls = typeof dnsContract.calls;

/** Answers `dns.tlsa`. */
export async function tlsa(
  raw: string,
  lookups: Lookups,
): Promise<Verdict<Calls["tlsa"]>> {
  const name = hostName(raw);
  if (name === undefined) return { refusal: "none" };
  const found = await lookups.tlsa(name);
  if (found.kind !== "records") return { refusal: refusalOf(found) };
  // RFC 7671 §4.1: nothing rests on insecure ones, so they are none.
  if (found.security !== "secure") return { refusal: "none" };
  return { answer: { records: [...found.records] } };
}

/** Answers `dns.texts`. */
export async function texts(
  raw: string,
  lookups: Lookups,
): Promise<Verdict<Calls["texts"]>> {
  const name = hostName(raw);
  if (name === undefined) return { refusal: "none" };
  const found = await lookups.txt(name);
  if (found.kind !== "records") return { refusal: refusalOf(found) };
  const { records, security } = found;
  return { answer: { texts: [...records], security } };
}

function refusalOf(
  found: Exclude<Looked<unknown>, { kind: "records" }>,
): "none" | "try-later" | "bogus" {
  switch (found.kind) {
    case "no-name":
    case "no-data":
      return "none";
    case "unclear":
      return "try-later";
    case "bogus":
      return "bogus";
  }
}

/** Longest lines that `dns.explain` answers. */
const MAX_RECORD = 500;
const MAX_LINE = 300;
const MAX_RECORDS = 100;
const MAX_PROOF = 60;

/** What `dns.explain` asks, or undefined of a name that is none. */
export function questionOf(ask: AskedOf<Calls["explain"]>) {
  const name = hostName(ask.name);
  return name === undefined ? undefined : { name, type: TYPE[ask.type] };
}

/** Answers `dns.explain`. */
export function explanation(
  { found, failure }: Explained,
): { answer: Calls["explain"]["answer"]["_output"] } {
  const { finding, rcode } = found;
  const records = finding.kind === "records" ? finding.records : [];
  return {
    answer: {
      security: found.security,
      status: failure?.status ??
        (rcode === undefined ? "no answer" : rcodeText(rcode)),
      records: records.slice(0, MAX_RECORDS).map((record) =>
        recordText(record).slice(0, MAX_RECORD)
      ),
      proof: found.proof.slice(0, MAX_PROOF).map((line) =>
        line.slice(0, MAX_LINE)
      ),
      why: (failure === undefined ? found.why : `${found.why}: ${failure.why}`)
        .slice(0, MAX_LINE),
    },
  };
}
