import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { configDoc, settingsHelp, settingsJson } from "./document.ts";
import { SECTION_LIST } from "./settings.ts";

const KEYS = SECTION_LIST.flatMap(([name, section]) =>
  section.kind === "entries"
    ? [`${name}.*`]
    : Object.keys(section.settings).map((key) => `${name}.${key}`)
);

Deno.test("configDoc() describes every setting of the table", () => {
  const lines = new Set(configDoc().split("\n"));
  for (const key of KEYS) {
    ok(
      lines.has(`### ${key}`) || lines.has(`## [${key.slice(0, -2)}]`),
      `${key} is missing`,
    );
  }
  match(
    configDoc(),
    /### queue\.first_retry\n(.*\n)+?- Type: duration, 100ms to 1d\n- Default: `"5m"`\n/,
  );
});

Deno.test("configDoc() is as deno fmt would write it", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(configDoc()));
  await input.close();
  const { stdout } = await child.output();
  strictEqual(new TextDecoder().decode(stdout), configDoc());
});

Deno.test("settingsHelp() has one line a setting, none too wide", () => {
  const lines = settingsHelp().trimEnd().split("\n");
  deepStrictEqual(lines.map((line) => line.trim().split(/\s/)[0]), KEYS);
  for (const line of lines) ok(line.length <= 80, line);
  ok(lines.some((line) => /server\.hostname +\(required\)/.test(line)));
});

Deno.test("settingsJson() survives JSON and says all of a setting", () => {
  const facts = JSON.parse(JSON.stringify(settingsJson()));
  deepStrictEqual(facts, settingsJson());
  const one = settingsJson().find(({ key }) => key === "smtp.hop_limit");
  deepStrictEqual(
    { ...one, says: "" },
    {
      key: "smtp.hop_limit",
      type: "integer",
      bounds: "10 to 1000",
      says: "",
      required: false,
      default: 50,
      example: null,
    },
  );
});

Deno.test("every setting says what it does, in sentences", () => {
  for (const { key, says } of settingsJson()) match(says, /^\S.*\.$/, key);
});
