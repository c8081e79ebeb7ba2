/**
 * What TLS a session must have, in the form in which a session plays it, and
 * what a handshake showed. Pure: `mod/dane` decides, this only carries it.
 */
import type { TlsResult } from "./smtpc_ipc.ts";

/** What the other side showed in a handshake. */
export interface Shown {
  /** DER, as they were sent, the host's own first; at most {@link MAX_CHAIN}. */
  readonly chain: readonly Uint8Array[];
  /**
   * Why no known authority vouches for the chain, such as `SELF_SIGNED...`;
   * empty if one does. Names are not looked at.
   */
  readonly authorityFault: string;
}

/** Certificates that are looked at; more are none of an honest host's. */
export const MAX_CHAIN = 20;

/** How a failure is called in reports, RFC 8460 §4.3. */
export type TlsFault = TlsResult["result"];

/** What became of the certificates. */
export type Judgement =
  | { readonly ok: true; readonly what: string; readonly isDane: boolean }
  | { readonly ok: false; readonly what: string; readonly fault: TlsFault };

/** What TLS a session must have. */
export interface Wanted {
  /**
   * - `never`: none, though it is offered
   * - `may`: what is offered; in the clear if nothing is, or if it fails
   * - `must`: not a word of the mail in the clear
   */
  readonly tls: "never" | "may" | "must";
  /** The name that is asked for (SNI), RFC 7672 §8.1; none of an address. */
  readonly serverName: string;
  /** Undefined if any certificate will do. */
  readonly judge: ((shown: Shown) => Judgement) | undefined;
  /** True if the host must offer REQUIRETLS, RFC 8689. */
  readonly requireTls: boolean;
}

/** Opportunistic TLS (RFC 7435): nobody is asked, nothing is demanded. */
export function opportunistic(serverName: string): Wanted {
  return { tls: "may", serverName, judge: undefined, requireTls: false };
}

/** What a session reached. */
export interface Reached {
  readonly reached: "" | "clear" | "encrypted" | "verified" | "dane";
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
  readonly tls: string;
  /** What matched, or did not; empty if nobody looked. */
  readonly certificate: string;
  /** Why TLS was not what it had to be, for reports; `` if it was. */
  readonly fault: TlsFault;
}

/** Where no TLS was begun. */
export const NOT_REACHED: Reached = {
  reached: "",
  tls: "",
  certificate: "",
  fault: "",
};
