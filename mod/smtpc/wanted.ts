/**
 * What TLS a session must have, in the form in which a session plays it, and
 * what it reached. Pure: `mod/dane` decides.
 */
import type { Demand } from "../dane/demand.ts";
import type { TlsResult } from "./smtpc_ipc.ts";

/** How a failure is called in reports, RFC 8460 §4.3. */
export type TlsFault = TlsResult["result"];

/** What TLS a session must have. */
export interface Wanted {
  /**
   * - `never`: none, though it is offered
   * - `may`: what is offered; in the clear if nothing is, or if it fails
   * - `must`: not a word of the mail in the clear
   */
  readonly tls: "never" | "may" | "must";
  readonly demand: Demand;
  /** True if the host must offer REQUIRETLS, RFC 8689. */
  readonly requireTls: boolean;
}

/** As {@link Wanted}, from what `mod/dane` says. */
export function wantedBy(demand: Demand, requireTls: boolean): Wanted {
  return { tls: tlsOf(demand), demand, requireTls };
}

function tlsOf(demand: Demand): Wanted["tls"] {
  switch (demand.kind) {
    case "clear":
      return "never";
    case "opportunistic":
      return "may";
    case "encrypted":
    case "verified":
    case "dane":
    case "fingerprint":
    case "unusable": // nobody opens a session for it
      return "must";
  }
}

/** What a session reached. */
export interface Reached {
  readonly reached: "" | "clear" | "encrypted" | "verified" | "dane";
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
  readonly tls: string;
  /** What matched, or did not; empty without certificates. */
  readonly certificate: string;
  /** Why TLS was not what it had to be, for reports; `` if it was. */
  readonly fault: TlsFault;
}

/** Where nothing was said. */
export const NOT_REACHED: Reached = {
  reached: "",
  tls: "",
  certificate: "",
  fault: "",
};
