/**
 * Reads along with a message on its way into the drop directory, and notes
 * what its header block says of recipients. The octets are not changed: `Bcc`
 * is taken out by pickup, of every message.
 *
 * The block ends at the first empty line, or where a line is no field. Bounded
 * by what recipients' fields may have in all; the rest is not kept.
 */
import { HopCounter } from "../core/hop_counter.ts";

/** Octets of all fields that name recipients. */
export const MAX_RECIPIENT_OCTETS = 2 ** 20;

const PLAIN: readonly string[] = ["to", "cc", "bcc"];
const RESENT: readonly string[] = ["resent-to", "resent-cc", "resent-bcc"];
/** The longest of them, and one more. */
const MAX_NAME = 11;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

type At = "start" | "name" | "value" | "other" | "done";

/** Reads one message. */
export class HeaderScan {
  readonly #hops = new HopCounter();
  readonly #values = new Map<string, number[][]>();
  #at: At = "start";
  #name = "";
  #isNameOver = false;
  #value: number[] | undefined;
  #octets = 0;
  /** There was more than {@link MAX_RECIPIENT_OCTETS}. */
  isTooLong = false;

  /** `Received` fields. */
  get hops(): number {
    return this.#hops.hops;
  }

  /**
   * The recipients' fields, joined as one list. If the message was resent,
   * those of the resending alone (RFC 5322 §3.6.6).
   */
  recipients(): string {
    const resent = this.#of(RESENT);
    return (resent.length > 0 ? resent : this.#of(PLAIN)).join(", ");
  }

  /** Reads on, in any cut. */
  push(bytes: Uint8Array): void {
    this.#hops.push(bytes);
    for (let i = 0; i < bytes.length && this.#at !== "done"; i++) {
      this.#octet(bytes[i]!);
    }
  }

  #of(names: readonly string[]): string[] {
    return names.flatMap((name) => this.#values.get(name) ?? [])
      .map((value) => decoder.decode(new Uint8Array(value)));
  }

  #octet(octet: number): void {
    switch (this.#at) {
      case "start":
        if (octet === SPACE || octet === TAB) {
          this.#at = this.#value === undefined ? "other" : "value";
          this.#keep(SPACE);
        } else if (octet === LF || octet === CR) this.#at = "done";
        else {
          this.#value = undefined;
          this.#at = "name";
          this.#name = "";
          this.#isNameOver = false;
          this.#inName(octet);
        }
        return;
      case "name":
        this.#inName(octet);
        return;
      case "value":
        if (octet === LF) this.#at = "start";
        else this.#keep(octet);
        return;
      case "other":
        if (octet === LF) this.#at = "start";
        return;
      case "done":
        return;
    }
  }

  #inName(octet: number): void {
    if (octet === COLON) {
      const isNamed = PLAIN.includes(this.#name) || RESENT.includes(this.#name);
      if (!isNamed) {
        this.#at = "other";
        return;
      }
      const values = this.#values.get(this.#name) ?? [];
      this.#value = [];
      values.push(this.#value);
      this.#values.set(this.#name, values);
      this.#at = "value";
    } else if (octet === SPACE || octet === TAB) this.#isNameOver = true;
    else if (octet === LF) {
      // The `From ` of a mailbox file may stand first; see `header_repair.ts`.
      const isMailbox = this.#name === "from" && this.#isNameOver;
      this.#at = isMailbox ? "start" : "done";
    } else if (this.#isNameOver) {
      if (this.#name !== "from") this.#at = "done";
    } else if (octet < 0x21 || octet > 0x7e) this.#at = "done";
    else if (this.#name.length <= MAX_NAME) {
      this.#name += String.fromCharCode(octet).toLowerCase();
    }
  }

  #keep(octet: number): void {
    if (this.#value === undefined) return;
    if (++this.#octets > MAX_RECIPIENT_OCTETS) this.isTooLong = true;
    else this.#value.push(octet);
  }
}

const decoder = new TextDecoder();
