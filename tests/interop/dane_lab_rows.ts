/**
 * The situations of the DANE laboratory, by section of RFC 7672 where no other
 * is named. What is to come of each is written down here by hand.
 */
import { TYPE } from "../../mod/dns/message.ts";
import type { Issued, Wish } from "../../mod/dane/certificate_fixture.ts";
import { issue, keysOf } from "../../mod/dane/certificate_fixture.ts";
import type { Row, Scene, Situation } from "./dane_lab_fixture.ts";
import type { HostPlan, Manner } from "./dane_lab_host.ts";

const DAY_MS = 86_400_000;
const DANE = "1 in TLS: dane delivered";
const ENCRYPTED = "1 in TLS: encrypted delivered";
const VERIFIED = "1 in TLS: verified delivered";
const CLEAR = "1 in the clear: clear delivered";
const NOT_NOW = "nobody: temporary 4.7.5";
const NO_TLS = "nobody: temporary 4.7.4";

/** One host with one certificate, and records about it. */
function one(kinds: readonly string[], options: {
  wish?: Wish;
  /** Certificates behind the host's own; the root if not said. */
  behind?: (scene: Scene) => readonly Issued[];
  /** What usage 2 is about; the root if not said. */
  authority?: (scene: Scene) => Issued;
  manner?: Manner;
  isOlder?: boolean;
  rest?: (scene: Scene, leaf: Issued) => Partial<Situation>;
} = {}): (scene: Scene) => Situation {
  return (scene) => {
    const leaf = scene.leaf(options.wish);
    const authority = options.authority?.(scene) ?? scene.root;
    return {
      more: kinds.map((kind) =>
        scene.tlsa("mx", kind.startsWith("2") ? authority : leaf, kind)
      ),
      hosts: [{
        manner: options.manner ?? "tls",
        chain: [leaf, ...options.behind?.(scene) ?? [scene.root]],
        ...(options.isOlder ? { isOlder: true } : {}),
      }],
      ...options.rest?.(scene, leaf),
    };
  };
}

/** A host with a certificate that no record is about. */
function stranger(): HostPlan {
  return { manner: "tls", chain: [issue({ subject: "stranger" })] };
}

/** Records of some other certificate. */
function wrong(kind: string) {
  return (scene: Scene): Partial<Situation> => ({
    more: [scene.tlsa("mx", issue({ subject: "other" }), kind)],
  });
}

function isTlsa({ type }: { type: number }): boolean {
  return type === TYPE.TLSA;
}

/** §2.1 and §2.2: what the DNS says, and how well. */
const LOOKUPS: Row[] = [
  {
    name: "§2.2.3: secure MX, secure address, usable record",
    make: one(["3 1 1"]),
    want: DANE,
    says: "TLSA 3 1 1",
    finger: "verified",
  },
  {
    name: "§2.1.1: secure, and provably no record: TLS as it comes",
    make: one([]),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§2.1.1: secure, provably no record, no TLS: in the clear",
    make: one([], { manner: "clear" }),
    want: CLEAR,
  },
  {
    name: "§2.2.1: MX insecure, host secure with records: not looked at",
    isUnsigned: true,
    make: (scene) => ({
      records: [`@ MX 10 mx.${scene.provider}.`],
      provider: [
        `mx A ${scene.ip(1)}`,
        scene.tlsa("mx", issue({ subject: "other" }), "3 1 1"),
      ],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
  },
  {
    name: "§2.1.3: MX secure, host insecure: TLS as it comes",
    make: (scene) => ({
      records: [`@ MX 10 mx.${scene.unsigned}.`],
      unsigned: [
        `mx A ${scene.ip(1)}`,
        scene.tlsa("mx", issue({ subject: "other" }), "3 1 1"),
      ],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§2.1.3: neither MX nor host secure: TLS as it comes",
    isUnsigned: true,
    make: one(["3 1 1"]),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§2.1.2: the record's signature is broken",
    make: one(["3 1 1"], {
      rest: (scene) => ({
        spoiled: [`_${scene.port}._tcp.mx.${scene.domain}. TLSA`],
      }),
    }),
    want: NOT_NOW,
    says: "TLSA records are bogus",
    report: "dnssec-invalid",
    finger: "fails",
  },
  {
    name: "§2.1.2: the address's signature is broken",
    make: one(["3 1 1"], {
      rest: (scene) => ({ spoiled: [`mx.${scene.domain}. A`] }),
    }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§2.1.2: the MX record's signature is broken",
    make: one(["3 1 1"], {
      rest: (scene) => ({ spoiled: [`${scene.domain}. MX`] }),
    }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§2.1.2: nobody answers for the record",
    make: one(["3 1 1"], {
      rest: () => ({
        change: (message, question) => isTlsa(question) ? undefined : message,
      }),
    }),
    want: NOT_NOW,
    says: "cannot be looked up now",
    report: "dnssec-invalid",
  },
  {
    name: "§2.1.2: SERVFAIL for the record",
    make: one(["3 1 1"], {
      rest: () => ({
        change: (message, question) =>
          isTlsa(question)
            ? { ...message, rcode: 2, answer: [], authority: [] }
            : message,
      }),
    }),
    want: NOT_NOW,
  },
  {
    name: "§2.1.2: the first host's record is bogus, the second host is good",
    make: (scene) => {
      const leaf = scene.leaf({ names: [`mx2.${scene.domain}`] });
      return {
        records: [
          "@ MX 10 mx",
          "@ MX 20 mx2",
          `mx A ${scene.ip(1)}`,
          `mx2 A ${scene.ip(2)}`,
          scene.tlsa("mx", leaf, "3 1 1"),
          scene.tlsa("mx2", leaf, "3 1 1"),
        ],
        spoiled: [`_${scene.port}._tcp.mx.${scene.domain}. TLSA`],
        hosts: [stranger(), { manner: "tls", chain: [leaf] }],
      };
    },
    want: "2 in TLS: dane delivered",
    finger: "verified",
  },
  {
    name: "§2.2.1: the first host does not match, the second does",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        records: [
          "@ MX 10 mx",
          "@ MX 20 mx2",
          `mx A ${scene.ip(1)}`,
          `mx2 A ${scene.ip(2)}`,
          scene.tlsa("mx", leaf, "3 1 1"),
          scene.tlsa("mx2", leaf, "3 1 1"),
        ],
        hosts: [stranger(), { manner: "tls", chain: [leaf] }],
      };
    },
    want: "2 in TLS: dane delivered",
  },
  {
    name: "§2.2.1: the first host does not match, the second has no records",
    make: (scene) => ({
      records: [
        "@ MX 10 mx",
        "@ MX 20 mx2",
        `mx A ${scene.ip(1)}`,
        `mx2 A ${scene.ip(2)}`,
        scene.tlsa("mx", scene.leaf(), "3 1 1"),
      ],
      hosts: [stranger(), { manner: "clear", chain: [] }],
    }),
    want: "2 in the clear: clear delivered",
  },
  {
    name: "§2.2.1: no host matches",
    make: (scene) => ({
      records: [
        "@ MX 10 mx",
        "@ MX 20 mx2",
        `mx A ${scene.ip(1)}`,
        `mx2 A ${scene.ip(2)}`,
        scene.tlsa("mx", scene.leaf(), "3 1 1"),
        scene.tlsa("mx2", scene.leaf(), "3 1 1"),
      ],
      hosts: [stranger(), stranger()],
    }),
    want: NOT_NOW,
    report: "certificate-not-trusted",
    finger: "fails",
  },
  {
    name: "§2.2.2: no MX records: the domain's own records",
    make: (scene) => {
      const leaf = scene.leaf({ names: [scene.domain] });
      return {
        records: [`@ A ${scene.ip(1)}`, scene.tlsa("@", leaf, "3 1 1")]
          .map((line) => line.replace("._tcp.@", "._tcp")),
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§2.2.2: a host that is a secure alias: records at its end",
    make: (scene) => {
      const leaf = scene.leaf({ names: [`mx.${scene.provider}`] });
      return {
        records: [`@ MX 10 mx`, `mx CNAME mx.${scene.provider}.`],
        provider: [`mx A ${scene.ip(1)}`, scene.tlsa("mx", leaf, "3 1 1")],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    says: "at mx.r",
    finger: "verified",
  },
  {
    name: "§2.2.2: a host that is a secure alias: records at its start",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        records: [
          `@ MX 10 mx`,
          `mx CNAME mx.${scene.provider}.`,
          scene.tlsa("mx", leaf, "3 1 1"),
        ],
        provider: [`mx A ${scene.ip(1)}`],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§2.2.2: records at both ends of an alias: those at its end",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        records: [
          `@ MX 10 mx`,
          `mx CNAME mx.${scene.provider}.`,
          scene.tlsa("mx", leaf, "3 1 1"),
        ],
        provider: [
          `mx A ${scene.ip(1)}`,
          scene.tlsa("mx", issue({ subject: "other" }), "3 1 1"),
        ],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§2.2.2: a secure alias to an insecure end: records at its start",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        records: [
          `@ MX 10 mx`,
          `mx CNAME mx.${scene.unsigned}.`,
          scene.tlsa("mx", leaf, "3 1 1"),
        ],
        unsigned: [`mx A ${scene.ip(1)}`],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§2.2.2: the same with a certificate that does not match",
    make: (scene) => ({
      records: [
        `@ MX 10 mx`,
        `mx CNAME mx.${scene.unsigned}.`,
        scene.tlsa("mx", scene.leaf(), "3 1 1"),
      ],
      unsigned: [`mx A ${scene.ip(1)}`],
      hosts: [stranger()],
    }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§2.2.2: records at the insecure end of an alias do not count",
    make: (scene) => ({
      records: [`@ MX 10 mx`, `mx CNAME mx.${scene.unsigned}.`],
      unsigned: [
        `mx A ${scene.ip(1)}`,
        scene.tlsa("mx", issue({ subject: "other" }), "3 1 1"),
      ],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "RFC 7671 §7: the record's name is a secure alias",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        more: [
          `_${scene.port}._tcp.mx CNAME dane.${scene.provider}.`,
        ],
        provider: [
          scene.tlsa("x", leaf, "3 1 1").replace(/^\S+/, "dane"),
        ],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "RFC 7671 §7: the record's name is an alias into an insecure zone",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        more: [
          `_${scene.port}._tcp.mx CNAME dane.${scene.unsigned}.`,
        ],
        unsigned: [
          scene.tlsa("x", issue({ subject: "o" }), "3 1 1")
            .replace(/^\S+/, "dane"),
        ],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§2.2.3: records for another port do not count",
    make: (scene) => ({
      more: [
        scene.tlsa("mx", issue({ subject: "o" }), "3 1 1")
          .replace(/^_[0-9]+/, "_1"),
      ],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§2.2.3: records at the domain instead of the host do not count",
    make: (scene) => ({
      more: [
        scene.tlsa("@", issue({ subject: "o" }), "3 1 1")
          .replace("._tcp.@", "._tcp"),
      ],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
];

/** §3: records and certificates. */
const MATCHES: Row[] = [
  ...["3 0 0", "3 0 1", "3 0 2", "3 1 0", "3 1 2"].map((kind): Row => ({
    name: `§3.1.1: ${kind}`,
    make: one([kind]),
    want: DANE,
    finger: "verified",
  })),
  ...["2 0 0", "2 0 1", "2 0 2", "2 1 0", "2 1 1", "2 1 2"].map((
    kind,
  ): Row => ({
    name: `§3.1.2: ${kind}`,
    make: one([kind]),
    want: DANE,
    finger: "verified",
  })),
  {
    name: "§3.1.1: by TLS 1.2",
    make: one(["3 1 1"], { isOlder: true }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.2: by TLS 1.2",
    make: one(["2 0 1"], { isOlder: true }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.1: expired, and for another name",
    make: one(["3 1 1"], {
      wish: {
        names: ["elsewhere.test"],
        from: Date.now() - 9 * DAY_MS,
        to: Date.now() - DAY_MS,
      },
    }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.1: no name, no subject, signed by itself",
    make: (scene) => {
      const leaf = issue({});
      return {
        more: [scene.tlsa("mx", leaf, "3 0 1")],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.1: another certificate with the same key",
    make: (scene) => {
      const keys = keysOf("P-256");
      const old = issue({ subject: "old", keys });
      return {
        more: [scene.tlsa("mx", old, "3 1 1")],
        hosts: [{ manner: "tls", chain: [issue({ subject: "new", keys })] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.1: the certificate does not match",
    make: one([], { rest: wrong("3 1 1") }),
    want: NOT_NOW,
    says: "no TLSA record matches",
    report: "certificate-not-trusted",
    finger: "fails",
  },
  {
    name: "§3.1.1: two records, one of them right",
    make: one(["3 1 1"], {
      rest: (scene, leaf) => ({
        more: [
          scene.tlsa("mx", issue({ subject: "next" }), "3 1 1"),
          scene.tlsa("mx", leaf, "3 1 1"),
        ],
      }),
    }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.2: the authority is not sent",
    make: one(["2 0 1"], { behind: () => [] }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "RFC 7671 §5.2.2: the authority is not sent, but published in full",
    make: one(["2 0 0"], { behind: () => [] }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "RFC 7671 §5.2.3: the authority's key is published in full",
    make: one(["2 1 0"], { behind: () => [] }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.2: another authority",
    make: one([], { rest: wrong("2 0 1") }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: expired",
    make: one(["2 0 1"], {
      wish: { from: Date.now() - 9 * DAY_MS, to: Date.now() - DAY_MS },
    }),
    want: NOT_NOW,
    report: "certificate-expired",
    finger: "fails",
  },
  {
    name: "§3.1.2: not valid yet",
    make: one(["2 0 1"], {
      wish: { from: Date.now() + DAY_MS, to: Date.now() + 9 * DAY_MS },
    }),
    want: NOT_NOW,
    report: "certificate-expired",
    finger: "fails",
  },
  {
    name: "§3.2.2: for another name",
    make: one(["2 0 1"], { wish: { names: ["elsewhere.test"] } }),
    want: NOT_NOW,
    says: "the certificate is for elsewhere.test",
    report: "certificate-host-mismatch",
    finger: "fails",
  },
  {
    name: "§3.2.2: for the recipients' domain",
    make: (scene) => one(["2 0 1"], { wish: { names: [scene.domain] } })(scene),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.2.2: for the end of the domain's aliases",
    make: (scene) => {
      const leaf = scene.leaf({ names: [`real.${scene.provider}`] });
      return {
        records: [
          `@ CNAME real.${scene.provider}.`,
          `mx A ${scene.ip(1)}`,
          scene.tlsa("mx", scene.root, "2 0 1"),
        ],
        provider: [`real MX 10 mx.${scene.domain}.`],
        hosts: [{ manner: "tls", chain: [leaf, scene.root] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§2.2.1: the domain is an alias into an insecure zone",
    make: (scene) => ({
      records: [
        `@ CNAME real.${scene.unsigned}.`,
        `mx A ${scene.ip(1)}`,
        scene.tlsa("mx", issue({ subject: "other" }), "3 1 1"),
      ],
      unsigned: [`real MX 10 mx.${scene.domain}.`],
      hosts: [stranger()],
    }),
    want: ENCRYPTED,
  },
  {
    name: "§3.2.3: for *.DOMAIN",
    make: (scene) =>
      one(["2 0 1"], { wish: { names: [`*.${scene.domain}`] } })(scene),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.2.3: for m*.DOMAIN",
    make: (scene) =>
      one(["2 0 1"], { wish: { names: [`m*.${scene.domain}`] } })(scene),
    want: NOT_NOW,
    report: "certificate-host-mismatch",
    finger: "fails",
  },
  {
    name: "§3.2.3: by a common name alone",
    make: (scene) =>
      one(["2 0 1"], {
        wish: { subject: `mx.${scene.domain}`, names: [] },
      })(scene),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.2.3: by a common name beside other names",
    make: (scene) =>
      one(["2 0 1"], {
        wish: { subject: `mx.${scene.domain}`, names: ["elsewhere.test"] },
      })(scene),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: a record about the server's own certificate",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        more: [scene.tlsa("mx", leaf, "2 0 1")],
        hosts: [{ manner: "tls", chain: [leaf, scene.root] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: an authority that serves itself, by usage 2",
    make: (scene) => {
      const own = issue({ names: [`mx.${scene.domain}`], ca: true });
      return {
        more: [scene.tlsa("mx", own, "2 0 1")],
        hosts: [{ manner: "tls", chain: [own, own] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: signed by one that is no authority",
    make: (scene) => {
      const middle = issue({
        subject: "no authority",
        issuer: scene.root,
        ca: false,
      });
      const leaf = scene.leaf({ issuer: middle });
      return {
        more: [scene.tlsa("mx", scene.root, "2 0 1")],
        hosts: [{ manner: "tls", chain: [leaf, middle, scene.root] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: the authority itself has expired",
    make: (scene) => {
      const old = issue({
        subject: "old",
        ca: true,
        from: Date.now() - 9 * DAY_MS,
        to: Date.now() - DAY_MS,
      });
      return {
        more: [scene.tlsa("mx", old, "2 0 1")],
        hosts: [{ manner: "tls", chain: [scene.leaf({ issuer: old }), old] }],
      };
    },
    want: NOT_NOW,
    report: "certificate-expired",
    finger: "fails",
  },
  {
    name: "§3.1.2: a certificate for clients",
    make: one(["2 0 1"], { wish: { forClients: true } }),
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.1: a certificate for clients",
    make: one(["3 0 1"], { wish: { forClients: true } }),
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.2: a chain longer than its authority allows",
    make: (scene) => {
      const short = issue({ subject: "short", ca: true, pathLength: 0 });
      const below = issue({ subject: "below", issuer: short, ca: true });
      const leaf = scene.leaf({ issuer: below });
      return {
        more: [scene.tlsa("mx", short, "2 0 1")],
        hosts: [{ manner: "tls", chain: [leaf, below, short] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
  {
    name: "§3.1.2: an authority in the middle, in disorder",
    make: (scene) => {
      const middle = issue({ subject: "M", issuer: scene.root, ca: true });
      const leaf = scene.leaf({ issuer: middle });
      return {
        more: [scene.tlsa("mx", scene.root, "2 1 1")],
        hosts: [{ manner: "tls", chain: [leaf, scene.root, middle] }],
      };
    },
    want: DANE,
    finger: "verified",
  },
  {
    name: "§3.1.3: PKIX-EE alone: TLS, unverified",
    make: one([], { rest: wrong("1 1 1") }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§3.1.3: PKIX-TA alone: TLS, unverified",
    make: one([], { rest: wrong("0 0 1") }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "§3.1.3: PKIX-EE alone, and no TLS: nothing in the clear",
    make: one([], {
      manner: "clear",
      rest: wrong("1 1 1"),
    }),
    want: NO_TLS,
    report: "starttls-not-supported",
    finger: "fails",
  },
  {
    name: "RFC 6698 §2.1.3: an unknown matching type alone: TLS, unverified",
    make: one([], { rest: wrong("3 1 9") }),
    want: ENCRYPTED,
    finger: "encrypted",
  },
  {
    name: "RFC 7671 §9: the stronger digest is wrong, the weaker right",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        more: [
          scene.tlsa("mx", leaf, "3 1 1"),
          scene.tlsa("mx", issue({ subject: "other" }), "3 1 2"),
        ],
        hosts: [{ manner: "tls", chain: [leaf] }],
      };
    },
    want: NOT_NOW,
    finger: "fails",
  },
];

/** §2.2 and §6: hosts without TLS, or with TLS that fails. */
const HANDSHAKES: Row[] = [
  {
    name: "§2.2: records, and STARTTLS is not offered",
    make: one(["3 1 1"], { manner: "clear" }),
    want: NO_TLS,
    report: "starttls-not-supported",
    finger: "fails",
  },
  {
    name: "§2.2: records, and STARTTLS is refused",
    make: one(["3 1 1"], { manner: "refuses" }),
    want: NO_TLS,
    finger: "fails",
  },
  {
    name: "§2.2: records, and the handshake fails",
    make: one(["3 1 1"], { manner: "breaks" }),
    want: NOT_NOW,
    report: "validation-failure",
    finger: "fails",
  },
  {
    name: "no records, and STARTTLS is refused: in the clear, RFC 7435",
    make: one([], { manner: "refuses" }),
    want: CLEAR,
  },
  {
    name: "no records, and the handshake fails: in the clear, RFC 7435",
    make: one([], { manner: "breaks" }),
    want: CLEAR,
  },
];

/** Somebody in between, who wants to read the message. */
const ATTACKS: Row[] = [
  {
    name: "an attacker strips STARTTLS",
    make: one(["2 0 1"], { manner: "clear" }),
    want: NO_TLS,
  },
  {
    name: "an attacker has another certificate",
    make: (scene) => ({
      more: [scene.tlsa("mx", scene.leaf(), "3 1 1")],
      hosts: [stranger()],
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker shows the right certificate without its key",
    make: one(["3 1 1"], { manner: "copies" }),
    want: NOT_NOW,
    report: "validation-failure",
  },
  {
    name: "an attacker shows the right certificate without its key, no records",
    make: one([], { manner: "copies" }),
    // Opportunistic TLS is no protection: the message goes in the clear then.
    want: CLEAR,
  },
  {
    name: "an attacker has a certificate of a known authority for the name",
    make: (scene) => ({
      more: [scene.tlsa("mx", scene.leaf(), "3 1 1")],
      hosts: [{
        manner: "tls",
        chain: [scene.leaf({ issuer: scene.known }), scene.known],
      }],
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker puts a reply behind the 220",
    make: one(["3 1 1"], { manner: "injects" }),
    want: NOT_NOW,
  },
  {
    name: "an attacker forges the MX record",
    make: (scene) => ({
      ...one(["3 1 1"])(scene),
      unsigned: [`mx A ${scene.ip(1)}`],
      change: (message, question) =>
        question.type === TYPE.MX
          ? {
            ...message,
            answer: message.answer.map((record) =>
              record.type === TYPE.MX
                ? { ...record, data: mxData(`mx.${scene.unsigned}`) }
                : record
            ),
          }
          : message,
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker forges the address",
    make: (scene) => ({
      ...one(["3 1 1"])(scene),
      hosts: [{ manner: "down", chain: [] }, stranger()],
      change: (message, question) =>
        question.type === TYPE.A
          ? {
            ...message,
            answer: message.answer.map((record) =>
              record.type === TYPE.A
                ? {
                  ...record,
                  data: Uint8Array.from(scene.ip(2).split(".").map(Number)),
                }
                : record
            ),
          }
          : message,
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker drops the records: an answer without any",
    make: (scene) => ({
      ...one(["3 1 1"], { manner: "clear" })(scene),
      change: (message, question) =>
        isTlsa(question) ? { ...message, answer: [] } : message,
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker drops the records: the name does not exist",
    make: (scene) => ({
      ...one(["3 1 1"], { manner: "clear" })(scene),
      change: (message, question) =>
        isTlsa(question)
          ? { ...message, rcode: 3, answer: [], authority: [] }
          : message,
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker shows the denial of another name's records",
    make: (scene) => ({
      ...one(["3 1 1"], { manner: "clear" })(scene),
      change: async (message, question, ask) => {
        if (!isTlsa(question)) return message;
        const other = await ask({ ...question, name: scene.domain });
        return { ...message, answer: [], authority: other?.authority ?? [] };
      },
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker strips all signatures",
    make: (scene) => ({
      ...one(["3 1 1"], { manner: "clear" })(scene),
      change: (message) => ({
        ...message,
        answer: message.answer.filter(({ type }) => type !== TYPE.RRSIG),
        authority: [],
      }),
    }),
    want: NOT_NOW,
  },
  {
    name: "an attacker publishes a record of their own",
    make: (scene) => {
      const theirs = issue({ subject: "theirs" });
      return {
        ...one(["3 1 1"])(scene),
        hosts: [{ manner: "tls", chain: [theirs] }],
        change: (message, question) =>
          isTlsa(question)
            ? {
              ...message,
              answer: message.answer.map((record) =>
                record.type === TYPE.TLSA
                  ? {
                    ...record,
                    data: Uint8Array.of(3, 1, 0, ...theirs.spki),
                  }
                  : record
              ),
            }
            : message,
      };
    },
    want: NOT_NOW,
  },
  {
    name: "an attacker says that the zone is not signed",
    make: (scene) => ({
      ...one(["3 1 1"], { manner: "clear" })(scene),
      change: (message, question) =>
        question.type === TYPE.DS && question.name === "s.test"
          ? { ...message, answer: [], authority: [] }
          : question.type === TYPE.DS
          ? message
          : {
            ...message,
            answer: message.answer.filter(({ type }) => type !== TYPE.RRSIG),
          },
    }),
    want: NOT_NOW,
  },
];

/** The other profiles, MTA-STS and REQUIRETLS, in the same surroundings. */
const PROFILES: Row[] = [
  {
    name: "none: in the clear, whatever is there",
    make: one(["3 1 1"], { rest: () => ({ profile: "none" }) }),
    want: CLEAR,
  },
  {
    name: "may: records are not looked at",
    make: one([], {
      rest: (scene) => ({ ...wrong("3 1 1")(scene), profile: "may" }),
    }),
    want: ENCRYPTED,
  },
  {
    name: "encrypt: any certificate",
    make: one([], { rest: () => ({ profile: "encrypt" }) }),
    want: ENCRYPTED,
  },
  {
    name: "encrypt: no TLS, no delivery",
    make: one([], { manner: "clear", rest: () => ({ profile: "encrypt" }) }),
    want: NO_TLS,
  },
  {
    name: "verify: a known authority, the host's name",
    make: (scene) =>
      one([], {
        wish: { issuer: scene.known },
        rest: () => ({ profile: "verify" }),
      })(scene),
    want: VERIFIED,
  },
  {
    name: "verify: an authority that nobody knows",
    make: one([], { rest: () => ({ profile: "verify" }) }),
    want: NOT_NOW,
  },
  {
    name: "verify: expired",
    make: (scene) =>
      one([], {
        wish: {
          issuer: scene.known,
          from: Date.now() - 9 * DAY_MS,
          to: Date.now() - DAY_MS,
        },
        rest: () => ({ profile: "verify" }),
      })(scene),
    want: NOT_NOW,
  },
  {
    name: "secure: a host of another domain with a good certificate",
    make: (scene) => {
      const name = `mx.${scene.provider}`;
      return {
        records: [`@ MX 10 ${name}.`],
        provider: [`mx A ${scene.ip(1)}`],
        hosts: [{
          manner: "tls",
          chain: [scene.leaf({ issuer: scene.known, names: [name] })],
        }],
        profile: "secure",
      };
    },
    want: NOT_NOW,
  },
  {
    name: "secure: the same host, named by match",
    make: (scene) => {
      const name = `mx.${scene.provider}`;
      return {
        records: [`@ MX 10 ${name}.`],
        provider: [`mx A ${scene.ip(1)}`],
        hosts: [{
          manner: "tls",
          chain: [scene.leaf({ issuer: scene.known, names: [name] })],
        }],
        profile: "secure",
        match: [`.${scene.provider}`],
      };
    },
    want: VERIFIED,
  },
  {
    name: "dane-only: records that match",
    make: one(["3 1 1"], { rest: () => ({ profile: "dane-only" }) }),
    want: DANE,
  },
  {
    name: "dane-only: no records",
    make: one([], { rest: () => ({ profile: "dane-only" }) }),
    want: NOT_NOW,
    report: "dane-required",
  },
  {
    name: "dane-only: no records that are usable",
    make: one([], {
      rest: (scene) => ({ ...wrong("1 1 1")(scene), profile: "dane-only" }),
    }),
    want: NOT_NOW,
    report: "tlsa-invalid",
  },
  {
    name: "dane-only: insecure MX records",
    isUnsigned: true,
    make: one(["3 1 1"], { rest: () => ({ profile: "dane-only" }) }),
    want: NOT_NOW,
  },
  {
    name: "dane-only: of two hosts only the one with records",
    make: (scene) => {
      const leaf = scene.leaf();
      return {
        records: [
          "@ MX 10 mx",
          "@ MX 20 mx2",
          `mx A ${scene.ip(1)}`,
          `mx2 A ${scene.ip(2)}`,
          scene.tlsa("mx2", leaf, "3 1 1"),
        ],
        hosts: [stranger(), { manner: "tls", chain: [leaf] }],
        profile: "dane-only",
      };
    },
    want: "2 in TLS: dane delivered",
  },
  {
    name: "an exception: records that do not match are not looked at",
    make: one([], {
      rest: (scene) => ({ ...wrong("3 1 1")(scene), isException: true }),
    }),
    want: ENCRYPTED,
  },
  {
    name: "RFC 8461 §2: records that do not match, and a policy that would do",
    make: (scene) =>
      one([], {
        wish: { issuer: scene.known },
        rest: () => ({
          ...wrong("3 1 1")(scene),
          sts: { mode: "enforce", id: "1", mx: [`mx.${scene.domain}`] },
        }),
      })(scene),
    want: NOT_NOW,
  },
  {
    name: "RFC 8461 §5: no records, an enforced policy that is met",
    make: (scene) =>
      one([], {
        wish: { issuer: scene.known },
        rest: () => ({
          sts: { mode: "enforce", id: "1", mx: [`*.${scene.domain}`] },
        }),
      })(scene),
    want: VERIFIED,
  },
  {
    name: "RFC 8461 §5: no records, an enforced policy, unknown authority",
    make: one([], {
      rest: (scene) => ({
        sts: { mode: "enforce", id: "1", mx: [`mx.${scene.domain}`] },
      }),
    }),
    want: NOT_NOW,
    report: "certificate-not-trusted",
  },
  {
    name: "RFC 8461 §5: the same policy in testing",
    make: one([], {
      rest: (scene) => ({
        sts: { mode: "testing", id: "1", mx: [`mx.${scene.domain}`] },
      }),
    }),
    want: ENCRYPTED,
    report: "certificate-not-trusted",
  },
  {
    name: "RFC 8461 §4.1: an enforced policy that lists other hosts",
    make: one([], {
      rest: () => ({ sts: { mode: "enforce", id: "1", mx: ["x.test"] } }),
    }),
    want: NOT_NOW,
    report: "validation-failure",
  },
  {
    name: "RFC 8461 §5: an enforced policy, and no TLS",
    make: one([], {
      manner: "clear",
      rest: (scene) => ({
        sts: { mode: "enforce", id: "1", mx: [`mx.${scene.domain}`] },
      }),
    }),
    want: NO_TLS,
    report: "starttls-not-supported",
  },
  {
    name: "RFC 8689 §4.2.1: DANE carries REQUIRETLS",
    make: one(["3 1 1"], { rest: () => ({ requireTls: true }) }),
    want: DANE,
  },
  {
    name: "RFC 8689 §4.2.1: a certificate that nobody vouches for",
    make: one([], { rest: () => ({ requireTls: true }) }),
    want: "nobody: permanent 5.7.10",
  },
  {
    name: "§2.2.2: a configured host with records",
    make: (scene) => ({
      ...one(["3 1 1"])(scene),
      nextHop: { kind: "host", host: `mx.${scene.domain}`, port: scene.port },
    }),
    want: DANE,
  },
  {
    name: "§2.2.2: a configured host with records that do not match",
    make: (scene) => ({
      ...one([], { rest: wrong("3 1 1") })(scene),
      nextHop: { kind: "host", host: `mx.${scene.domain}`, port: scene.port },
    }),
    want: NOT_NOW,
  },
];

/** All of them. */
export const ROWS: readonly Row[] = [
  ...LOOKUPS,
  ...MATCHES,
  ...HANDSHAKES,
  ...ATTACKS,
  ...PROFILES,
];

/** Preference 10, and a name that is not compressed. */
function mxData(name: string): Uint8Array {
  const labels = name.split(".").flatMap((label) => [
    label.length,
    ...new TextEncoder().encode(label),
  ]);
  return Uint8Array.of(0, 10, ...labels, 0);
}
