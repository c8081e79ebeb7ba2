/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the part that
 * knows the channel. Keys and proofs are auth's.
 *
 * Channel binding is `tls-server-end-point` (RFC 5929 §4) alone: Deno 2.9.6
 * exports no keying material, so `tls-exporter` (RFC 9266) cannot be had. Who
 * sits between client and server has another certificate, so its clients bind
 * to that, and their logins fail here.
 */
import { Buffer } from "node:buffer";
import { prepareLogin } from "../login/prepare.ts";
import {
  type ClientFirst,
  parseClientFinal,
  parseClientFirst,
} from "../login/scram_message.ts";
import {
  failed,
  isOwnIdentity,
  type SaslChannel,
  type SaslStep,
} from "./sasl_step.ts";

/** The one channel binding that we have. */
export const BINDING_NAME = "tls-server-end-point";
/** Bounds of auth's contract. */
const MAX_FIRST = 1_000;
const MAX_FINAL = 2_000;
const MAX_PROOF = 200;

/** client-first-message. */
export function onClientFirst(
  text: string,
  { channel, isPlus }: { channel: SaslChannel; isPlus: boolean },
): SaslStep {
  const first = parseClientFirst(text);
  if (first === undefined || first.bare.length > MAX_FIRST) {
    return failed("malformed", "SCRAM: the first message makes no sense");
  }
  const bound = bindingOf(first, { channel, isPlus });
  if (typeof bound === "string") return failed("denied", bound);
  if (!isOwnIdentity(first.gs2.authzid, first.login)) {
    return failed("denied", "SCRAM: acting as another is not allowed");
  }
  if (prepareLogin(first.login) === undefined) {
    return failed("denied", "SCRAM: the login can be nobody's");
  }
  const ask = { clientFirstBare: first.bare, client: channel.client };
  return [
    { at: "asked-first", binding: bound },
    { do: "ask", question: { call: "scramFirst", ask } },
  ];
}

/** client-final-message. */
export function onClientFinal(
  text: string,
  { exchange, binding }: { exchange: string; binding: Uint8Array },
): SaslStep {
  const final = parseClientFinal(text);
  if (
    final === undefined || final.bare.length > MAX_FINAL ||
    final.proof.length > MAX_PROOF
  ) return failed("malformed", "SCRAM: the final message makes no sense");
  if (!Buffer.from(final.channelBinding, "base64").equals(binding)) {
    return failed(
      "denied",
      "SCRAM: the client is bound to another channel: somebody may sit " +
        "between it and us",
    );
  }
  const ask = { exchange, clientFinalBare: final.bare, proof: final.proof };
  return [
    { at: "asked-final" },
    { do: "ask", question: { call: "scramFinal", ask } },
  ];
}

/** What `c=` must hold (RFC 5802 §7), or why the client may not go on. */
function bindingOf(
  { gs2 }: ClientFirst,
  { channel, isPlus }: { channel: SaslChannel; isPlus: boolean },
): Uint8Array | string {
  const header = Buffer.from(gs2.text);
  if (!isPlus) {
    if (gs2.binding === "none") return header;
    if (gs2.binding !== "unoffered") {
      return "SCRAM: channel binding without -PLUS";
    }
    // RFC 5802 §6: we offered it; somebody took it out of the offer.
    return channel.endPoint === null
      ? header
      : "SCRAM: the client did not see that -PLUS is offered: somebody may " +
        "sit between it and us";
  }
  if (typeof gs2.binding === "string") return "SCRAM: -PLUS without a binding";
  if (gs2.binding.name !== BINDING_NAME || channel.endPoint === null) {
    return `SCRAM: no channel binding ${gs2.binding.name} here`;
  }
  return Buffer.concat([header, channel.endPoint]);
}
