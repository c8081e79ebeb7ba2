/** Trust anchors: where every chain of signatures begins, RFC 4033 §2. */
import type { Name } from "./message.ts";

/** A DS record that is believed because the configuration says so. */
export interface Anchor {
  readonly zone: Name;
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  /** Lower-case hex. */
  readonly digest: string;
}

/**
 * The root zone's keys as IANA publishes them
 * (https://data.iana.org/root-anchors/root-anchors.xml): the one in use since
 * 2018, and the one that follows it.
 */
export const ROOT_ANCHORS: readonly Anchor[] = [
  {
    zone: "",
    keyTag: 20326,
    algorithm: 8,
    digestType: 2,
    digest: "e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d",
  },
  {
    zone: "",
    keyTag: 38696,
    algorithm: 8,
    digestType: 2,
    digest: "683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16",
  },
];
