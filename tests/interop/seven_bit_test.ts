/**
 * Messages rewritten into 7 bits decode to the same parts, octet for octet, in
 * the eyes of Python's email: all of the corpus, and random trees of parts.
 *
 *     deno test -A tests/interop/seven_bit_test.ts -- --trees 20000 --seed 7
 *
 * Some trees are spoiled after they were made: then a refusal will do, too.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SEVEN_BIT_CORPUS } from "../../mod/smtpc/seven_bit_corpus.ts";
import { sevenBit } from "../../mod/smtpc/seven_bit_fixture.ts";
import { pick, seeded } from "./dnssec_mutations.ts";
import { areInstalled } from "./peers.ts";

const PYTHON = "/usr/bin/python3";

function option(name: string, usual: number): number {
  const at = Deno.args.indexOf(name);
  return at === -1 ? usual : Number(Deno.args[at + 1]);
}

const SEED = option("--seed", 1);
const TREES = option("--trees", 600);

/** What is given to the judge: a name, the original, what became of it. */
type Pair = readonly [string, Uint8Array, Uint8Array];

async function differences(pairs: readonly Pair[]): Promise<unknown[]> {
  const child = new Deno.Command(PYTHON, {
    args: [new URL("./seven_bit_judge.py", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64");
  const lines = pairs.map(([name, one, other]) =>
    JSON.stringify([name, base64(one), base64(other)]) + "\n"
  );
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(lines.join("")))
    .then(() => writer.close());
  const { success, stdout } = await child.output();
  await written;
  assert.ok(success, "the judge fell over");
  const said = new TextDecoder().decode(stdout).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(said.pop(), [pairs.length], "the judge saw them all");
  return said;
}

/** Rows of the corpus that Python reads in another way, and why. */
const OTHERWISE: readonly string[] = [
  // It takes both for messages, and looks for parts in them undecoded.
  "a notice of RFC 6533",
];

Deno.test({
  name: "Python decodes the corpus to what it was",
  ignore: !areInstalled("seven_bit_test", PYTHON),
  async fn() {
    const pairs: Pair[] = [];
    for (const { name, message, refused } of SEVEN_BIT_CORPUS) {
      if (refused !== undefined || OTHERWISE.includes(name)) continue;
      const octets = Buffer.from(message, "latin1");
      pairs.push([name, octets, sevenBit(octets).octets]);
    }
    assert.ok(pairs.length > 30);
    assert.deepEqual(await differences(pairs), []);
  },
});

Deno.test({
  name: "the judge finds a part that is not what it was",
  ignore: !areInstalled("seven_bit_test", PYTHON),
  async fn() {
    const octets = Buffer.from("Subject: x\r\n\r\ngr\xfc\xdfe\r\n", "latin1");
    const { octets: right } = sevenBit(octets);
    const wrong = Buffer.from(
      Buffer.from(right).toString("latin1").replace("=FC", "=FD"),
    );
    assert.equal((await differences([["x", octets, wrong]])).length, 1);
  },
});

Deno.test({
  name: `Python decodes ${TREES} random trees to what they were`,
  ignore: !areInstalled("seven_bit_test", PYTHON),
  async fn() {
    const pairs: Pair[] = [];
    let refused = 0;
    for (let n = 0; n < TREES; n++) {
      const random = seeded(SEED * 1_000_000 + n);
      const tree = treeOf(random);
      const isSpoiled = n % 3 === 0;
      const text = isSpoiled ? spoiled(tree, random) : tree;
      const octets = Buffer.from(text, "latin1");
      const cut = Math.floor(random() * octets.length);
      const got = sevenBit(octets, cut);
      if (got.refused === undefined) {
        pairs.push([`tree ${n}`, octets, got.octets]);
      } else {
        assert.ok(isSpoiled, `tree ${n}: ${got.refused}`);
        refused++;
      }
    }
    assert.deepEqual(await differences(pairs), []);
    assert.ok(refused < TREES / 3, `${refused} refused`);
  },
});

type Random = () => number;

const LETTERS = "abc=.-\t  From\xe4\xf6\xfc\xff\x80\x01~";
const BOUNDARIES = ["b", "b-1", "=_x", "b b", "(x)", "----=_Part"];

function lineOf(random: Random): string {
  const length = pick(random, [0, 1, 3, 20, 74, 75, 76, 77, 200, 5_000]);
  const from = length > 200 && random() < 0.8 ? 10 : length;
  let line = "";
  for (let i = 0; i < from; i++) {
    line += LETTERS[Math.floor(random() * LETTERS.length)]!;
  }
  const start = pick(random, ["", "", "", "", ".", "From ", "-- ", "--"]);
  return (start + line).replace(/^--(?! )/, "--~"); // no boundary
}

function bodyOf(random: Random): string[] {
  return Array.from({ length: Math.floor(random() * 6) }, () => {
    return lineOf(random);
  });
}

function partOf(random: Random, depth: number, used: string[]): string[] {
  const label = pick(random, ["", "8bit", "binary", "8BIT (x)"]);
  const said = label === "" ? [] : [`Content-Transfer-Encoding: ${label}`];
  const free = BOUNDARIES.filter((one) => !used.includes(one));
  const isLeaf = depth >= 4 || free.length === 0 || random() < 0.45;
  if (isLeaf) {
    const type = pick(random, [
      [],
      ["Content-Type: text/plain; charset=utf-8"],
      ["Content-Type: text/html;", "\tcharset=x"],
      ["Content-Type: image/png; name=x"],
      ["Content-Type: application/octet-stream"],
    ]);
    return [...type, ...said, "X-Other: y", "", ...bodyOf(random)];
  }
  if (random() < 0.25) {
    const header = pick(random, [
      "Subject: inner",
      "Subject: inner",
      "Subject: \xc3\xbc",
    ]);
    const inner = partOf(random, depth + 1, used);
    return ["Content-Type: message/rfc822", ...said, "", header, ...inner];
  }
  const boundary = pick(random, free);
  const parts = Array.from(
    { length: 1 + Math.floor(random() * 3) },
    () => partOf(random, depth + 1, [...used, boundary]),
  );
  return [
    `Content-Type: multipart/${pick(random, ["mixed", "alternative"])};`,
    ` boundary="${boundary}"`,
    ...said,
    "",
    ...pick(random, [[], ["This is MIME.", ""]]),
    ...parts.flatMap((part) => [`--${boundary}`, ...part]),
    `--${boundary}--`,
    ...pick(random, [[], [""]]),
  ];
}

/** A message; no line of a body looks like one of its boundaries. */
function treeOf(random: Random): string {
  const version = pick(random, [["MIME-Version: 1.0"], []]);
  const tree = ["Subject: x", ...version, ...partOf(random, 0, [])];
  return tree.join("\r\n") + "\r\n";
}

/** A line less, twice, or elsewhere. */
function spoiled(tree: string, random: Random): string {
  const all = tree.split("\r\n");
  const at = Math.floor(random() * all.length);
  const to = Math.floor(random() * all.length);
  switch (pick(random, ["less", "twice", "moved"] as const)) {
    case "less":
      return all.toSpliced(at, 1).join("\r\n");
    case "twice":
      return all.toSpliced(at, 0, all[at]!).join("\r\n");
    case "moved":
      return all.toSpliced(at, 1).toSpliced(to, 0, all[at]!).join("\r\n");
  }
}
