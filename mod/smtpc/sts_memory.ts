/**
 * Asks the sts role for MTA-STS policies, and remembers its answers for some
 * seconds: so a busy destination costs one question now and then.
 */
import type { Reply } from "../ipc/call.ts";
import type { Policy } from "../dane/sts.ts";
import type { stsContract } from "../sts/sts_ipc.ts";

/** What is known of a domain's policy. */
export interface PolicyFound {
  /** Undefined if there is none, or none that can be had. */
  readonly policy: Policy | undefined;
  /** Its lines as they were published. */
  readonly lines: readonly string[];
  /** What is wrong, beginning with a word of RFC 8460; or empty. */
  readonly trouble: string;
  /** True if nobody answered: a policy may be in force. */
  readonly isUnknown: boolean;
}

/** Finds the policy of a domain. */
export type PolicyAsker = (domain: string) => Promise<PolicyFound>;

type PolicyReply = Reply<typeof stsContract.calls.policy>;

/** How long an answer is remembered, and how many there are. */
const REMEMBER_MS = 10_000;
const MAX_DOMAINS = 1_000;

/** Where MTA-STS is switched off. */
export const noPolicies: PolicyAsker = () =>
  Promise.resolve({
    policy: undefined,
    lines: [],
    trouble: "",
    isUnknown: false,
  });

/** An asker with a memory. */
export function rememberingPolicies(
  ask: (domain: string) => Promise<PolicyReply>,
  now: () => number = () => performance.now(),
): PolicyAsker {
  const known = new Map<string, { found: Promise<PolicyFound>; ms: number }>();
  return (domain) => {
    const held = known.get(domain);
    if (held !== undefined && now() - held.ms < REMEMBER_MS) return held.found;
    known.delete(domain);
    if (known.size >= MAX_DOMAINS) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    const found = ask(domain).then(policyFound);
    known.set(domain, { found, ms: now() });
    // Silence is not remembered.
    void found.then(({ isUnknown }) => {
      if (isUnknown && known.get(domain)?.found === found) known.delete(domain);
    });
    return found;
  };
}

function policyFound(reply: PolicyReply): PolicyFound {
  switch (reply.kind) {
    case "answered": {
      const { policy, trouble } = reply.answer;
      return { policy, lines: policy.lines, trouble, isUnknown: false };
    }
    case "refused":
      return {
        policy: undefined,
        lines: [],
        trouble: reply.refusal === "none" ? "" : reply.refusal,
        isUnknown: false,
      };
    case "failed":
      return { policy: undefined, lines: [], trouble: "", isUnknown: true };
  }
}
