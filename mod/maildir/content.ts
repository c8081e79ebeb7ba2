/** A message's octets as delivery reads them. */
import type { ContentRef } from "../core/shapes.ts";
import type { Failure } from "./failure.ts";

/** What the next read brings. */
export type ContentStep =
  /** Octets, valid until the next step. */
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  | { readonly kind: "end" }
  /** The record is torn or altered: no octet of it may be delivered. */
  | { readonly kind: "damaged"; readonly why: string }
  /** It could not be read now. */
  | { readonly kind: "failed"; readonly failure: Failure };

/** One reading of one message. */
export interface Content {
  next(): ContentStep;
  /** Gives back what it holds; `next` must not be called again. */
  close(): void;
}

/** Opens a message for reading. Failures come with the first step. */
export type OpenContent = (ref: ContentRef, key: string) => Content;
