import assert from "node:assert/strict";
import { programs } from "../../../main.ts";
import { buildProgram } from "../commands/cli.ts";
import { allPages } from "../commands/manual.ts";
import { allCommands, commandFacts } from "./command_facts.ts";
import { completionScript, SHELLS } from "./completion.ts";
import { helpText, lines, quoted, roff } from "./roff.ts";

const program = buildProgram({ programs, ended: () => {} });
const all = allCommands(commandFacts(program));

Deno.test("every command, option and argument has its sentence", () => {
  assert.ok(all.length > 30, `only ${all.length} commands`);
  const silent = all.flatMap(({ words, says, options, ...one }) => [
    ...says === "" ? [words.join(" ")] : [],
    ...options.filter((option) => option.says === "" || option.long === "")
      .map(({ long }) => `${words.join(" ")} ${long}`),
    ...one.arguments.filter((argument) => argument.says === "")
      .map(({ shown }) => `${words.join(" ")} ${shown}`),
  ]);
  assert.deepEqual(silent, []);
});

Deno.test("manPages() has a page for each command, and each page of them all", () => {
  const pages = allPages(program);
  const text = pages.map((page) => page.text).join("\n");
  for (const { words, options } of all) {
    const name = words.slice(0, 2).join("-");
    assert.ok(pages.some(({ file }) => file === `${name}.1`), name);
    for (const { long } of options) assert.ok(text.includes(roff(long)), long);
  }
  assert.ok(text.includes("smtp.listen"), "settings are told");
  // Control characters and what is not ASCII were escaped.
  assert.doesNotMatch(text, /[^\n\x20-\x7e]/);
});

Deno.test("manPages() is the same when made again", () => {
  assert.deepEqual(allPages(program), allPages(program));
});

const LINES: { name: string; text: string; want: string[] }[] = [
  { name: "a dot at the begin", text: ".so x", want: ["\\&.so x"] },
  { name: "a quote at the begin", text: "'so x", want: ["\\(aqso x"] },
  { name: "a backslash", text: "a\\fBb", want: ["a\\efBb"] },
  { name: "a minus", text: "--x", want: ["\\-\\-x"] },
  { name: "an empty line", text: "a\n\nb", want: ["a", ".PP", "b"] },
  { name: "other letters", text: "é", want: ["\\[u00E9]"] },
  {
    name: "a long line",
    text: `${"x".repeat(60)} .y`,
    want: [`${"x".repeat(60)} .y`],
  },
  {
    name: "a dot at the begin of a wrapped line",
    text: `${"x".repeat(63)} .y`,
    want: ["x".repeat(63), "\\&.y"],
  },
];

for (const { name, text, want } of LINES) {
  Deno.test(`lines() obeys nothing of ${name}`, () => {
    assert.deepEqual(lines(text), want);
  });
}

Deno.test("helpText() makes headings of what has deeper lines below it", () => {
  const text = "Options:\n  -f WHO\n      who\n      it is\n  -v\n      says";
  assert.deepEqual(helpText(text), [
    ...[".PP", ".nf", "Options:", ".fi"],
    ...[".TP", ".B \\-f WHO", "who it is"],
    ...[".TP", ".B \\-v", "says"],
  ]);
  assert.deepEqual(helpText("bash: x\nzsh:  .y"), [
    ...[".PP", ".nf", "bash: x", "zsh:  .y", ".fi"],
  ]);
});

Deno.test("quoted() keeps an argument one", () => {
  assert.equal(quoted('a "b" c'), '"a \\(dqb\\(dq c"');
});

for (const shell of SHELLS) {
  Deno.test(`completionScript() names every command for ${shell}`, () => {
    const script = completionScript(shell, commandFacts(program));
    for (const { words } of all.slice(1)) {
      assert.ok(script.includes(words.slice(1).join(" ")), words.join(" "));
    }
  });
}
