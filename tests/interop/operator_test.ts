// What people and their programs read: man pages, completion, metrics. Each
// is judged by the program that it is for; no server is started.
import assert from "node:assert/strict";
import { programs } from "../../main.ts";
import { buildProgram } from "../../mod/supervisor/commands/cli.ts";
import { allPages } from "../../mod/supervisor/commands/manual.ts";
import { commandFacts } from "../../mod/supervisor/manual/command_facts.ts";
import {
  completionScript,
  type Shell,
} from "../../mod/supervisor/manual/completion.ts";
import { metricsText } from "../../web/metrics.ts";
import { madeUpServer } from "../../web/metrics_fixture.ts";
import { IS_CI, run } from "../system/server_fixture.ts";

const program = buildProgram({ programs, ended: () => {} });

async function has(command: string): Promise<boolean> {
  return (await run("sh", ["-c", `command -v ${command}`])).code === 0;
}

async function withFile(
  text: string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "mandoc finds nothing odd in any man page",
  ignore: !await has("mandoc") && !IS_CI,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const paths = allPages(program).map(({ file, text }) => {
        Deno.writeTextFileSync(`${dir}/${file}`, text);
        return `${dir}/${file}`;
      });
      assert.ok(paths.length > 10);
      const lint = await run("mandoc", [
        "-T",
        "lint",
        "-W",
        "warning",
        ...paths,
      ]);
      assert.deepEqual([lint.code, lint.out + lint.errors], [0, ""]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

/** What is typed, and what must and must not be offered. */
const TYPED: { words: string[]; want: string[]; not?: string[] }[] = [
  { words: ["q"], want: ["queue"], not: ["status"] },
  { words: ["queue", ""], want: ["list", "flush", "reroute"], not: ["queue"] },
  { words: ["queue", "list", "--st"], want: ["--state"], not: ["--sender"] },
  { words: ["queue", "list", "--state", "h"], want: ["hold"], not: ["list"] },
  { words: ["user", "app-password", ""], want: ["add", "remove"] },
  { words: ["completion", ""], want: ["bash", "fish"] },
  // `queue` is a value here, and no command.
  { words: ["serve", "-c", "queue", "--con"], want: ["--config"] },
  {
    words: ["queue", "list", "--domain", "hold", "--s"],
    want: ["--state", "--sender"],
  },
];

/** What a shell offers, one a line. */
const ASK: Readonly<Record<Shell, (words: string[]) => string>> = {
  bash: (words) =>
    `COMP_WORDS=(bulkhead ${words.map(quote).join(" ")}); ` +
    `COMP_CWORD=${words.length}; _bulkhead; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words) =>
    "offer() { for one; do [[ $one == $words[CURRENT]* ]] && " +
    "print -r -- ${one%%:*}; done }; " +
    'compadd() { shift; offer "$@" }; ' +
    '_describe() { offer "${found[@]}" }; ' +
    `words=(bulkhead ${words.map(quote).join(" ")}); ` +
    `CURRENT=${words.length + 1}; _bulkhead`,
  fish: (words) =>
    `complete -C ${quote(["bulkhead", ...words].join(" "))} | cut -f1`,
};

const BEFORE: Readonly<Record<Shell, string>> = {
  bash: "",
  zsh: "compdef() { }; ",
  fish: "",
};

function quote(word: string): string {
  return `'${word}'`;
}

for (const shell of ["bash", "zsh", "fish"] as const) {
  Deno.test({
    name: `${shell} completes what is typed`,
    // The others are tried where they are.
    ignore: !await has(shell) && !(IS_CI && shell === "bash"),
    fn: async () => {
      const script = completionScript(shell, commandFacts(program));
      await withFile(script, async (path) => {
        for (const { words, want, not = [] } of TYPED) {
          const { out, errors } = await run(shell, [
            ...shell === "bash" ? ["--norc"] : shell === "zsh" ? ["-f"] : [],
            "-c",
            `${BEFORE[shell]}source ${path}; ${ASK[shell](words)}`,
          ]);
          const offered = out.split("\n");
          const about = `${words.join(" ")}: ${out} ${errors}`;
          for (const one of want) assert.ok(offered.includes(one), about);
          for (const one of not) assert.ok(!offered.includes(one), about);
        }
      });
    },
  });
}

const PARSER = `
import sys
from prometheus_client.parser import text_string_to_metric_families
found = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation and family.type != "unknown", family.name
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in found, key
        found[key] = sample.value
print(len(found), found[("bulkhead_disk_free_bytes", (("path", '/s"\\\\p'),))])
`;

const hasParser = (await run("/usr/bin/python3", [
  "-c",
  "import prometheus_client.parser",
]).catch(() => ({ code: 1 }))).code === 0;

Deno.test({
  name: "Prometheus' own parser reads every metric",
  ignore: !hasParser && !IS_CI,
  fn: async () => {
    const text = (await metricsText(madeUpServer()))!;
    const samples = text.trimEnd().split("\n")
      .filter((line) => !line.startsWith("#"));
    const read = await run("/usr/bin/python3", ["-c", PARSER], {
      input: new TextEncoder().encode(text),
    });
    assert.equal(read.out, `${samples.length} 5.0\n`, read.errors);
  },
});
