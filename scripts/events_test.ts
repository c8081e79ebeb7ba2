/** The log's vocabulary is what `docs/events.md` says it is. */
import assert from "node:assert/strict";
import { GRAVE } from "../mod/supervisor/log/severity.ts";

const ROOT = new URL("../", import.meta.url).pathname;

function* sources(dir: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts") && !/_(test|fixture)\./.test(name)) {
      yield path;
    }
  }
}

/** Names of events that a program's text writes. */
function eventsIn(text: string): string[] {
  const calls =
    /(?:\blog|#log|\.log|\bevent|#events\.event)\(\s*(?:write,\s*|this\.#write,\s*)?"([a-z]+(?:-[a-z]+)*)"/g;
  return [...text.matchAll(calls)].map((match) => match[1]!);
}

Deno.test("docs/events.md names every event that the server writes", () => {
  const told = Deno.readTextFileSync(`${ROOT}docs/events.md`);
  const names = new Set<string>();
  for (const dir of ["mod", "web"]) {
    for (const path of sources(ROOT + dir)) {
      for (const name of eventsIn(Deno.readTextFileSync(path))) names.add(name);
    }
  }
  assert.ok(names.size > 40, `only ${names.size} events found`);
  const missing = [...names].filter((name) =>
    !new RegExp(`\\b${name}\\b`).test(told)
  );
  assert.deepEqual(missing, []);
});

Deno.test("docs/events.md says of every event how grave it is", () => {
  const told = Deno.readTextFileSync(`${ROOT}docs/events.md`);
  const [events, section] = told.split("## Severity\n");
  const items = section!.split("\n- ").slice(1);
  for (const [severity, names] of Object.entries(GRAVE)) {
    const item = items.find((one) => one.trim().startsWith(`${severity} (`));
    const listed = item!.slice(item!.indexOf(":") + 1).split(",")
      .map((name) => name.trim());
    assert.deepEqual(listed, names, severity);
    for (const name of names) {
      assert.ok(events!.includes(name), `${name} is no event`);
    }
  }
});
