/** The zones of the DANE laboratory, signed by ldns-signzone. */
import { run } from "../system/server_fixture.ts";

/** What is in each zone, as lines of a zone file with their own $ORIGIN. */
export interface ZoneTexts {
  /** `s.test`, signed. */
  readonly signed: readonly string[];
  /** `p.test`, signed, too: where aliases lead. */
  readonly provider: readonly string[];
  /** `u.test`, which nobody signs. */
  readonly unsigned: readonly string[];
  /** `owner type` in `s.test` whose signature is to be broken. */
  readonly spoiled: readonly string[];
}

/** What a name server serves, and where chains of signatures begin. */
export interface SignedTexts {
  readonly zones: Readonly<Record<string, string>>;
  /** The root's DS record, such as `. DS 1 13 2 ab12`. */
  readonly anchor: string;
}

const TTL = 300;

/** Signs all of it, from the leaves to the root. */
export async function signedZones(texts: ZoneTexts): Promise<SignedTexts> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-dane-zones-" });
  try {
    const [s, p] = await Promise.all([
      signed(dir, "s.test", texts.signed),
      signed(dir, "p.test", texts.provider),
    ]);
    const test = await signed(dir, "test", [
      ...["s.test", "p.test", "u.test"].map((zone) => `${zone}. NS ns.test.`),
      "ns.test. A 127.0.0.1",
      s.ds,
      p.ds,
    ]);
    const root = await signed(dir, ".", [
      "test. NS ns.test.",
      "ns.test. A 127.0.0.1",
      test.ds,
    ]);
    return {
      zones: {
        ".": root.text,
        "test": test.text,
        "s.test": spoil(s.text, texts.spoiled),
        "p.test": p.text,
        "u.test": [apex("u.test"), ...texts.unsigned, ""].join("\n"),
      },
      anchor: root.ds.replace(/\s+\d+\s+IN\s+DS\s+/, " DS "),
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function apex(zone: string): string {
  const name = zone === "." ? "." : `${zone}.`;
  return `$TTL ${TTL}\n$ORIGIN ${name}\n` +
    `${name} SOA ns.test. h.test. 1 3600 600 86400 60\n${name} NS ns.test.`;
}

async function signed(
  dir: string,
  zone: string,
  lines: readonly string[],
): Promise<{ text: string; ds: string }> {
  const file = `${dir}/${zone === "." ? "root" : zone}`;
  await Deno.writeTextFile(file, [apex(zone), ...lines, ""].join("\n"));
  const key = await must("sh", [
    "-c",
    'cd "$1" && ldns-keygen -a ECDSAP256SHA256 -k "$2"',
    "sh",
    dir,
    zone,
  ]);
  const base = `${dir}/${key.trim()}`;
  await must("ldns-signzone", ["-o", zone, "-f", `${file}.out`, file, base]);
  return {
    text: await Deno.readTextFile(`${file}.out`),
    ds: (await must("ldns-key2ds", ["-n", "-2", `${base}.key`])).trim(),
  };
}

async function must(command: string, args: string[]): Promise<string> {
  const { code, out, errors } = await run(command, args);
  if (code !== 0) throw new Error(`${command}: ${errors}${out}`);
  return out;
}

/** Turns the signatures over records around. */
function spoil(text: string, spoiled: readonly string[]): string {
  const wanted = new Set(spoiled.map((one) => one.toLowerCase()));
  let count = 0;
  const lines = text.split("\n").map((line) => {
    const words = line.split(/\s+/);
    const at = words.indexOf("RRSIG");
    const key = `${words[0]} ${words[at + 1]}`.toLowerCase();
    if (at < 0 || !wanted.has(key)) return line;
    count++;
    const signature = words.slice(at + 9).join("");
    const head = words.slice(0, at + 9).join(" ");
    const first = signature.startsWith("A") ? "B" : "A";
    return `${head} ${first}${signature.slice(1)}`;
  });
  if (count < wanted.size) throw new Error("A signature was not found");
  return lines.join("\n");
}
