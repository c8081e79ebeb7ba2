/**
 * How mail to a next hop would go: what a delivery asks and decides, and a
 * session with each host up to the end of its TLS handshake. No word of any
 * mail is said, no login either.
 */
import type { Shown } from "../dane/certificate.ts";
import type { Demand } from "../dane/demand.ts";
import type { NextHop } from "../core/shapes.ts";
import type { AnswerOf } from "../ipc/call.ts";
import { AttemptedHosts } from "./attempt.ts";
import { certificateText, MAX_CERTIFICATE_TEXT } from "./certificate_text.ts";
import type { Means } from "./deliver.ts";
import { PHASE_REPLIES } from "./patience.ts";
import { type Candidate, protocolOf, routeTo } from "./route.ts";
import { decide, type Decided } from "./safety.ts";
import { openSession } from "./session_io.ts";
import type { ExplainedHost, smtpcContract } from "./smtpc_ipc.ts";
import { Transcript } from "./transcript.ts";
import { NOT_REACHED, type Reached, wantedBy } from "./wanted.ts";

type Answer = AnswerOf<typeof smtpcContract.calls.explain>;

/** Addresses that are looked at, all at once. */
const MAX_HOSTS = 10;
const MAX_CERTIFICATES = 10;
const MAX_LINES = 30;
/** Somebody waits at a terminal. */
const WITHIN_MS = 30_000;

/** Explains; see {@link smtpcContract}. */
export async function explain(
  nextHop: NextHop,
  means: Means,
): Promise<Answer> {
  const { part, names, isOurs, safety } = means;
  const { profile, entry } = safety.policies.of(nextHop);
  const route = await routeTo(nextHop, names, { ...part, isOurs });
  if (route.kind === "nowhere") {
    return { profile, entry, nowhere: route.outcome, hosts: [] };
  }
  const hosts = await Promise.all(
    route.candidates.slice(0, MAX_HOSTS).map((to) =>
      explainHost(to, nextHop, means)
    ),
  );
  return { profile, entry, nowhere: null, hosts };
}

async function explainHost(
  to: Candidate,
  nextHop: NextHop,
  means: Means,
): Promise<ExplainedHost> {
  const startedMs = performance.now();
  const asked: string[] = [];
  const { names } = means.safety;
  const decided = await decide(to, { nextHop, requireTls: false }, {
    ...means.safety,
    names: {
      ...names,
      tlsa: (name) => {
        asked.push(name);
        return names.tlsa(name);
      },
    },
  });
  const transcript = new Transcript();
  const seen = await look(to, decided, { nextHop, means, transcript });
  const { unusable, policy, fault } = decided;
  const kept = new AttemptedHosts();
  kept.add({
    to,
    policy,
    reached: seen.reached,
    fault,
    result: unusable === undefined
      ? seen.result
      : `${unusable.code} ${unusable.enhanced} ${unusable.text}`,
    tookMs: performance.now() - startedMs,
  });
  return {
    attempt: kept.hosts[0]!,
    wouldDo: unusable === undefined && seen.isOpen,
    tlsaNames: asked.slice(0, 2),
    policyLines: (policy.report?.policyLines ?? []).slice(0, 20)
      .map((line) => line.slice(0, 300)),
    certificates: seen.chain.slice(0, MAX_CERTIFICATES)
      .map((der) => certificateText(der).slice(0, MAX_CERTIFICATE_TEXT)),
    transcript: transcript.lines().slice(0, MAX_LINES),
  };
}

interface Seen {
  readonly isOpen: boolean;
  readonly reached: Reached;
  readonly result: string;
  readonly chain: Shown["chain"];
}

/** Connects as a delivery would; to see the certificates, also where not. */
async function look(
  to: Candidate,
  decided: Decided,
  { nextHop, means, transcript }: {
    nextHop: NextHop;
    means: Means;
    transcript: Transcript;
  },
): Promise<Seen> {
  const { part, dialV6, ca } = means;
  let chain: Shown["chain"] = [];
  const opened = await openSession(to, {
    hostname: part.hostname,
    connectWithinMs: Math.min(part.connectWithinMs, WITHIN_MS),
    replyWithinMs: Math.min(part.replyWithinMs, WITHIN_MS),
    untilMs: performance.now() + PHASE_REPLIES * WITHIN_MS,
    dialV6,
    sourceFor: means.sources.of(nextHop),
    ca,
    noLoop: nextHop.kind === "mx",
    protocol: protocolOf(nextHop),
    wanted: decided.unusable === undefined
      ? decided.wanted
      : wantedBy(anyCertificate(decided.wanted.demand), false),
    onShown: (shown) => chain = shown.chain,
  }, transcript);
  const none = { isOpen: false, reached: NOT_REACHED, chain };
  switch (opened.kind) {
    case "open": {
      const { session } = opened;
      session.quit();
      const { reached } = session;
      return { isOpen: true, reached, result: "ready for mail", chain };
    }
    case "not-permitted":
      return { ...none, result: "not tried: no way from here to this address" };
    case "loop":
      return { ...none, result: "it greets with our own name" };
    case "login-refused":
    case "failed": {
      const { outcome: { code, enhanced, text }, reached } = opened;
      const result = `${code} ${enhanced} ${text}`;
      return { isOpen: false, reached, result, chain };
    }
  }
}

function anyCertificate({ sni, says }: Demand): Demand {
  return {
    kind: "encrypted",
    says,
    sni,
    policy: "no-policy-found",
    policyLines: [],
    mtaSts: "",
  };
}
