/**
 * For tests: messages for a server without 8BITMIME, as latin1 text. A row has
 * what must come out, octet for octet, or why nothing can.
 */

/** One message. */
export interface SevenBitRow {
  readonly name: string;
  readonly message: string;
  /** Exactly this. */
  readonly want?: string;
  /** Or has each of these lines. */
  readonly has?: readonly string[];
  /** Or cannot be converted. */
  readonly refused?: string;
}

const lines = (...all: string[]) => all.join("\r\n") + "\r\n";
const MIME = ["Subject: x", "MIME-Version: 1.0"];
const TEXT = [
  "Content-Type: text/plain; charset=iso-8859-1",
  "Content-Transfer-Encoding: 8bit",
];
const QP = [TEXT[0]!, "Content-Transfer-Encoding: quoted-printable"];
/** A header with this boundary, and parts. */
const multipart = (type: string, boundary: string, ...parts: string[][]) => [
  `Content-Type: multipart/${type}; boundary="${boundary}"`,
  "",
  ...parts.flatMap((part) => [`--${boundary}`, ...part]),
  `--${boundary}--`,
];
const EIGHT = [...TEXT, "", "gr\xfc\xdfe"];
const ENCODED = [...QP, "", "gr=FC=DFe"];
const PLAIN = ["Content-Type: text/plain", "", "plain"];
const BODY_ONLY = (...body: string[]) => lines(...MIME, ...TEXT, "", ...body);
const BODY_WANT = (...body: string[]) => lines(...MIME, ...QP, "", ...body);
const GLOBAL = [
  "Content-Type: message/global",
  "Content-Transfer-Encoding: quoted-printable",
];
const REPORT = ["To: <a@x.test>", "MIME-Version: 1.0"];

/** All rows. */
export const SEVEN_BIT_CORPUS: readonly SevenBitRow[] = [
  {
    name: "one text",
    message: BODY_ONLY("gr\xfc\xdfe", "", "="),
    want: BODY_WANT("gr=FC=DFe", "", "=3D"),
  },
  {
    name: "what is 7-bit although its label says 8bit",
    message: BODY_ONLY("text = text "),
    want: lines(
      ...MIME,
      TEXT[0]!,
      "Content-Transfer-Encoding: 7bit",
      "",
      "text = text ",
    ),
  },
  {
    name: "no MIME at all",
    message: lines("Subject: x", "", "gr\xfc\xdfe"),
    want: lines(
      "Subject: x",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=unknown-8bit",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "gr=FC=DFe",
    ),
  },
  {
    name: "no header at all",
    message: lines("", "gr\xfc\xdfe"),
    want: lines(
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=unknown-8bit",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "gr=FC=DFe",
    ),
  },
  {
    name: "a type without MIME-Version",
    message: lines("Content-Type: text/html", "", "\xe9"),
    want: lines(
      "Content-Type: text/html",
      "MIME-Version: 1.0",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "=E9",
    ),
  },
  {
    name: "a field that is folded, and another case, and a comment",
    message: lines(
      "mime-version: 1.0 (x)",
      "content-TYPE: TEXT (a \\) b)",
      "\t/ Plain;",
      " charset=utf-8",
      "CONTENT-transfer-encoding:",
      " (see) 8BIT",
      "X-Last: x",
      "",
      "\xc3\xbc",
    ),
    want: lines(
      "mime-version: 1.0 (x)",
      "content-TYPE: TEXT (a \\) b)",
      "\t/ Plain;",
      " charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
      "X-Last: x",
      "",
      "=C3=BC",
    ),
  },
  {
    name: "blanks at the end of lines",
    message: BODY_ONLY("\xfc ", "a\t", " ", "\t \t", "b  c"),
    want: BODY_WANT("=FC=20", "a=09", "=20", "\t =09", "b  c"),
  },
  {
    name: "lines that others change",
    message: BODY_ONLY(
      "\xfc",
      ".",
      "..",
      "From me",
      "From\tme",
      " From me",
      "-- ",
      "-",
    ),
    want: BODY_WANT(
      "=FC",
      "=2E",
      "=2E.",
      "=46rom me",
      "From\tme",
      " From me",
      "=2D-=20",
      "-",
    ),
  },
  {
    name: "control octets and DEL",
    message: BODY_ONLY("\xfc\x01\x0c\x7f"),
    want: BODY_WANT("=FC=01=0C=7F"),
  },
  {
    name: "a line of 75 columns, and one of 76",
    message: BODY_ONLY(`\xfc${"x".repeat(72)}`, `\xfc${"x".repeat(73)}`),
    want: BODY_WANT(
      `=FC${"x".repeat(72)}`,
      `=FC${"x".repeat(72)}=`,
      "x",
    ),
  },
  {
    name: "a soft break before an octet of three columns",
    message: BODY_ONLY(`${"x".repeat(73)}\xfc`),
    want: BODY_WANT(`${"x".repeat(73)}=`, "=FC"),
  },
  {
    name: "a soft break before a dot, From and dashes",
    message: BODY_ONLY(
      `\xfc${"x".repeat(72)}.x`,
      `${"x".repeat(75)}From x`,
      `${"x".repeat(75)}--b`,
    ),
    want: BODY_WANT(
      `=FC${"x".repeat(72)}=`,
      "=2Ex",
      `${"x".repeat(75)}=`,
      "=46rom x",
      `${"x".repeat(75)}=`,
      "=2D-b",
    ),
  },
  {
    name: "blanks around a soft break",
    message: BODY_ONLY(`\xfc${"x".repeat(71)}  y `, `${"x".repeat(75)} `),
    want: BODY_WANT(
      `=FC${"x".repeat(71)} =`,
      " y=20",
      `${"x".repeat(75)}=`,
      "=20",
    ),
  },
  {
    name: "a line longer than a piece",
    message: BODY_ONLY(`${"x".repeat(10_000)}\xfc`),
    has: ["x".repeat(75) + "="],
  },
  {
    name: "a last line without an end",
    message: BODY_ONLY("\xfc").slice(0, -2),
    want: BODY_WANT("=FC").slice(0, -2),
  },
  {
    name: "an image as base64",
    message: lines(
      ...MIME,
      "Content-Type: image/png",
      "Content-Transfer-Encoding: binary",
      "",
      "\x89PNG",
      "\x1a",
    ),
    want: lines(
      ...MIME,
      "Content-Type: image/png",
      "Content-Transfer-Encoding: base64",
      "",
      "iVBORw0KGg0K",
    ),
  },
  {
    name: "base64 of more than a line",
    message: lines(
      ...MIME,
      "Content-Type: application/x",
      "",
      "\xff".repeat(60),
    ),
    want: lines(
      ...MIME,
      "Content-Type: application/x",
      "Content-Transfer-Encoding: base64",
      "",
      "/".repeat(76),
      "////DQo=",
    ),
  },
  {
    name: "a line too long for 8bit, in ASCII",
    message: BODY_ONLY("x".repeat(1_200)),
    has: [QP[1]!],
  },
  {
    name: "two parts, of which one is 8-bit",
    message: lines(...MIME, ...multipart("mixed", "b", EIGHT, PLAIN)),
    want: lines(...MIME, ...multipart("mixed", "b", ENCODED, PLAIN)),
  },
  {
    name: "a part as base64, without the CRLF that is the boundary's",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", ["Content-Type: a/b", "", "\xff"]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: a/b",
        "Content-Transfer-Encoding: base64",
        "",
        "/w==",
      ]),
    ),
  },
  {
    name: "labels of what contains parts",
    message: lines(
      ...MIME,
      "Content-Transfer-Encoding: 8bit",
      ...multipart("mixed", "b", EIGHT),
    ),
    want: lines(
      ...MIME,
      "Content-Transfer-Encoding: 7bit",
      ...multipart("mixed", "b", ENCODED),
    ),
  },
  {
    name: "boundaries of which one begins like another",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", multipart("alternative", "b-1", EIGHT, PLAIN)),
    ),
    want: lines(
      ...MIME,
      ...multipart(
        "mixed",
        "b",
        multipart("alternative", "b-1", ENCODED, PLAIN),
      ),
    ),
  },
  {
    name: "a multipart that only the outer boundary ends",
    message: lines(
      ...MIME,
      ...multipart(
        "mixed",
        "b",
        multipart("alternative", "c", EIGHT).slice(0, -1),
        EIGHT,
      ),
    ),
    want: lines(
      ...MIME,
      ...multipart(
        "mixed",
        "b",
        multipart("alternative", "c", ENCODED).slice(0, -1),
        ENCODED,
      ),
    ),
  },
  {
    name: "a part without header, and one without content",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", ["", "\xfc"], [], [...TEXT]),
    ),
    want: lines(
      ...MIME,
      ...multipart(
        "mixed",
        "b",
        [
          "Content-Type: text/plain; charset=unknown-8bit",
          QP[1]!,
          "",
          "=FC",
        ],
        [],
        [TEXT[0]!, "Content-Transfer-Encoding: 7bit"],
      ),
    ),
  },
  {
    name: "blanks behind a boundary, and a boundary with all that is allowed",
    message: lines(
      ...MIME,
      "Content-Type: multipart/mixed;",
      ' boundary="a b\'()+_,-./:=?"',
      "",
      "before",
      "--a b'()+_,-./:=? \t",
      ...EIGHT,
      "--a b'()+_,-./:=?-- ",
      "after",
    ),
    has: ["gr=FC=DFe", "--a b'()+_,-./:=? \t", "after"],
  },
  {
    name: "a message in the message",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Subject: inner",
        ...EIGHT,
      ]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: 7bit",
        "",
        "Subject: inner",
        QP[0]!,
        QP[1]!,
        "MIME-Version: 1.0",
        "",
        "gr=FC=DFe",
      ]),
    ),
  },
  {
    name: "a digest, whose parts are messages",
    message: lines(
      ...MIME,
      ...multipart("digest", "b", ["", "Subject: 1", "", "\xfc"]),
    ),
    has: ["MIME-Version: 1.0", "=FC"],
  },
  {
    name: "a message in the message with a header in UTF-8",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", EIGHT, [
        "Content-Type: message/rfc822",
        "",
        "Subject: \xc3\xbc",
        "",
        "\xfc",
      ]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", ENCODED, [
        ...GLOBAL,
        "",
        "Subject: =C3=BC",
        "",
        "=FC",
      ]),
    ),
  },
  {
    name: "a message in the message with a header in some other charset",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: message/rfc822",
        "",
        "Subject: \xfc",
        "",
        "x",
      ]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: text/plain; charset=unknown-8bit",
        QP[1]!,
        "",
        "Subject: =FC",
        "",
        "x",
      ]),
    ),
  },
  {
    name: "a message in the message that is signed",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", [
        "Content-Type: message/rfc822",
        "",
        ...MIME,
        ...multipart("signed", "c", EIGHT, PLAIN),
      ]),
    ),
    has: [GLOBAL[0]!, "=2D-c", "=2D-c--"],
  },
  {
    name: "a message in ASCII in the message, with two types",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", EIGHT, [
        "Content-Type: message/rfc822",
        "",
        "Content-Type: text/plain",
        ...TEXT,
        "",
        "x",
      ]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", ENCODED, [
        "Content-Type: message/rfc822",
        "",
        "Content-Type: text/plain",
        ...TEXT,
        "",
        "x",
      ]),
    ),
  },
  {
    name: "a signed part in ASCII beside one that is not",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", EIGHT, [
        ...multipart("signed", "c", [...TEXT, "", "x "], PLAIN),
      ]),
    ),
    want: lines(
      ...MIME,
      ...multipart("mixed", "b", ENCODED, [
        ...multipart("signed", "c", [...TEXT, "", "x "], PLAIN),
      ]),
    ),
  },
  {
    name: "a notice that quotes a header in UTF-8",
    message: lines(
      ...REPORT,
      "Content-Type: multipart/report; report-type=delivery-status;",
      ' boundary="b"',
      "Content-Transfer-Encoding: 8bit",
      "",
      "--b",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "Sorry.",
      "--b",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; us.test",
      "",
      "Final-Recipient: rfc822; a@x.test",
      "--b",
      "Content-Type: text/rfc822-headers",
      "Content-Transfer-Encoding: 8bit",
      "",
      "Subject: \xc3\xbc",
      "",
      "--b--",
    ),
    want: lines(
      ...REPORT,
      "Content-Type: multipart/report; report-type=delivery-status;",
      ' boundary="b"',
      "Content-Transfer-Encoding: 7bit",
      "",
      "--b",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "Sorry.",
      "--b",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; us.test",
      "",
      "Final-Recipient: rfc822; a@x.test",
      "--b",
      "Content-Type: text/rfc822-headers",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "Subject: =C3=BC",
      "",
      "--b--",
    ),
  },
  {
    name: "a notice of RFC 6533",
    message: lines(
      ...REPORT,
      ...multipart(
        "report",
        "b",
        [
          "Content-Type: message/global-delivery-status",
          TEXT[1]!,
          "",
          "X: \xc3\xbc",
        ],
        ["Content-Type: message/global", TEXT[1]!, "", "X: \xc3\xbc"],
      ),
    ),
    want: lines(
      ...REPORT,
      ...multipart(
        "report",
        "b",
        [
          "Content-Type: message/global-delivery-status",
          QP[1]!,
          "",
          "X: =C3=BC",
        ],
        [...GLOBAL, "", "X: =C3=BC"],
      ),
    ),
  },
  {
    name: "a type that is none",
    message: lines(...MIME, "Content-Type: text", "", "\xfc"),
    has: ["Content-Type: text", QP[1]!, "=FC"],
  },
  {
    name: "the same encoding said twice",
    message: lines(...MIME, TEXT[1]!, ...TEXT, "", "\xfc"),
    has: ["=FC"],
  },
  {
    name: "the message's own header beyond ASCII",
    message: lines("Subject: \xc3\xbc", "", "x"),
    refused: "a header is not ASCII",
  },
  {
    name: "a part's header beyond ASCII",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", ["Content-Disposition: x; filename=\xfc", ""]),
    ),
    refused: "a header is not ASCII",
  },
  {
    name: "what is signed",
    message: lines(...MIME, ...multipart("signed", "b", EIGHT, PLAIN)),
    refused: "what is signed or encrypted is not ASCII",
  },
  {
    name: "a message within what is signed",
    message: lines(
      ...MIME,
      ...multipart("signed", "b", [
        "Content-Type: message/rfc822",
        "",
        "Subject: x",
        "",
        "\xfc",
      ], PLAIN),
    ),
    refused: "what is signed or encrypted is not ASCII",
  },
  {
    name: "a multipart without an end",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", EIGHT).slice(0, -1),
    ),
    refused: "a multipart has no end",
  },
  {
    name: "a multipart without a boundary",
    message: lines(...MIME, "Content-Type: multipart/mixed", "", "\xfc"),
    refused: "a part that must be ASCII is not",
  },
  {
    name: "a multipart with something behind its boundary",
    message: lines(
      ...MIME,
      'Content-Type: multipart/mixed; boundary="b" boundary="b"',
      ...multipart("mixed", "b", EIGHT).slice(1),
    ),
    refused: "a part that must be ASCII is not",
  },
  {
    name: "text before the parts",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", PLAIN).toSpliced(1, 0, "", "\xfc"),
    ),
    refused: "text stands outside of the parts",
  },
  {
    name: "text behind the parts",
    message: lines(...MIME, ...multipart("mixed", "b", PLAIN), "\xfc"),
    refused: "text stands outside of the parts",
  },
  {
    name: "a line that is almost a boundary",
    message: lines(...MIME, ...multipart("mixed", "b", EIGHT, ["", "--bc"])),
    refused: "a line is almost a boundary",
  },
  {
    name: "one boundary for two",
    message: lines(
      ...MIME,
      ...multipart("mixed", "b", multipart("mixed", "b", EIGHT)),
    ),
    refused: "two multiparts have one boundary",
  },
  {
    name: "base64 that is none",
    message: lines(...MIME, "Content-Transfer-Encoding: base64", "", "\xfc"),
    refused: "a part is encoded and not ASCII",
  },
  {
    name: "an encoding that nobody knows",
    message: lines(...MIME, "Content-Transfer-Encoding: x-uue", "", "\xfc"),
    refused: "a part is encoded and not ASCII",
  },
  {
    name: "a part of a message",
    message: lines(...MIME, "Content-Type: message/partial", "", "\xfc"),
    refused: "a part that must be ASCII is not",
  },
  {
    name: "two types",
    message: lines(
      "Content-Type: text/plain",
      "Content-Type: a/b",
      "",
      "\xfc",
    ),
    refused: "a part has two types",
  },
  {
    name: "a header line that is none",
    message: lines("From me@x.test Sat Nov 21", "Subject: x", "", "\xfc"),
    refused: "a header cannot be read",
  },
  {
    name: "more depth than is looked into",
    message: lines(
      ...MIME,
      ...Array.from({ length: 40 }, (_, i) => [
        `Content-Type: multipart/mixed; boundary=b${i}.`,
        "",
        `--b${i}.`,
      ]).flat(),
      "",
      "\xfc",
      ...Array.from({ length: 40 }, (_, i) => `--b${39 - i}.--`),
    ),
    refused: "a part that must be ASCII is not",
  },
  {
    name: "more parts than are counted",
    message: lines(
      ...MIME,
      ...multipart(
        "mixed",
        "b",
        EIGHT,
        ...Array.from({ length: 10_000 }, () => PLAIN),
      ),
    ),
    refused: "it has too many parts",
  },
];
