/**
 * What the event store and TLSRPT (RFC 8460) are told of one attempt, host by
 * host, within the bounds of `smtpc_ipc.ts`. Pure but for the clock.
 */
import type { Profile } from "../dane/profile.ts";
import type { Security } from "../dns/dns_ipc.ts";
import type { Candidate } from "./route.ts";
import type { AttemptedHost, TlsResult } from "./smtpc_ipc.ts";
import { NOT_REACHED, type Reached, type TlsFault } from "./wanted.ts";

/** Hosts and results kept of one attempt; the first ones. */
const MAX_KEPT = 20;
const MAX_LINES = 20;
const MAX_LINE = 300;

/** What was known of a host's safety before a word was said to it. */
export interface HostPolicy {
  readonly profile: Profile;
  /** In words, such as `dane: 2 usable TLSA records`. */
  readonly demand: string;
  readonly dns: {
    readonly mx: Security | "";
    readonly address: Security | "";
    readonly tlsa: Security | "";
  };
  /** Such as `enforce 20261121`; empty if no MTA-STS policy counts. */
  readonly mtaSts: string;
  /** Whose policy a session is reported by; undefined if it is not. */
  readonly report:
    | Pick<TlsResult, "policy" | "policyLines" | "domain">
    | undefined;
}

/** What became of one host. */
export interface HostEnd {
  readonly to: Candidate;
  readonly policy: HostPolicy;
  readonly reached?: Reached | undefined;
  /** Why the policy itself failed before the host was asked. */
  readonly fault?: TlsFault | undefined;
  /** The reply that ended it, or the trouble. */
  readonly result: string;
  readonly tookMs: number;
  /** Our end of the connection; empty if there was none. */
  readonly ourAddress?: string | undefined;
  /** True if the session was counted in the reports when it was opened. */
  readonly isKept?: boolean;
}

/** The hosts of one attempt. */
export class AttemptedHosts {
  readonly #hosts: AttemptedHost[] = [];
  readonly #results: TlsResult[] = [];
  readonly #count: (name: string) => void;

  /** @param count Adds to a counter, of which there are a dozen */
  constructor(count: (name: string) => void = () => {}) {
    this.#count = count;
  }

  /** Adds a host that was tried, or was not and why. */
  add(end: HostEnd): void {
    const { to, policy, reached = NOT_REACHED } = end;
    this.#count(`reached-${reached.reached || "nobody"}`);
    const fault = reached.fault || end.fault;
    if (fault) this.#count(`tls-fault-${fault}`);
    if (this.#hosts.length < MAX_KEPT) {
      this.#hosts.push({
        host: to.host.slice(0, 255),
        address: to.address.slice(0, 64),
        port: to.port,
        profile: policy.profile,
        demand: policy.demand.slice(0, 200),
        reached: reached.reached,
        tls: reached.tls.slice(0, 100),
        certificate: reached.certificate.slice(0, 300),
        dns: { ...policy.dns },
        mtaSts: policy.mtaSts.slice(0, 64),
        result: end.result.slice(0, 300),
        tookMs: Math.max(0, Math.round(end.tookMs)),
      });
    }
    if (end.isKept !== true) this.#report(end);
  }

  /** In the order in which they were tried. */
  get hosts(): AttemptedHost[] {
    return this.#hosts;
  }

  /** One a session, in their order. */
  get tlsResults(): TlsResult[] {
    return this.#results;
  }

  #report(end: HostEnd): void {
    const { to, policy: { report }, reached = NOT_REACHED } = end;
    if (this.#results.length >= MAX_KEPT || report === undefined) return;
    const result = reached.fault || end.fault || "";
    // A host that was not reached, or spoke no TLS and owed none, is no TLS
    // session, neither a good nor a failed one.
    if (result === "" && reached.tls === "") return;
    this.#results.push({
      policy: report.policy,
      policyLines: report.policyLines.slice(0, MAX_LINES)
        .map((line) => line.slice(0, MAX_LINE)),
      domain: report.domain,
      mxHost: to.host.slice(0, 255),
      result,
      ourAddress: (end.ourAddress ?? "").slice(0, 64),
      theirAddress: to.address.slice(0, 64),
    });
  }
}
