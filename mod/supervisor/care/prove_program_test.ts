import assert from "node:assert/strict";
import { faultOfProgram } from "./prove_program.ts";

const VERSION = '{"program":"9.0.0","formats":{"queue":77},"more":1}';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly mode?: number;
  readonly want: RegExp | undefined;
}

const CASES: readonly Case[] = [
  {
    name: "finds nothing wrong with a newer program",
    text: `#!/bin/sh\necho '${VERSION}'`,
    want: undefined,
  },
  {
    name: "knows another program by what it says",
    text: '#!/bin/sh\necho "$@"',
    want: /no program of this kind/,
  },
  {
    name: "knows another program by its silence",
    text: "#!/bin/sh\nexit 0",
    want: /no program of this kind/,
  },
  {
    name: "passes on what a damaged one says",
    text: "#!/bin/sh\necho 'bulkhead: get it again' >&2; exit 78",
    want: /damaged: get it again$/,
  },
  {
    name: "says how to make it executable",
    text: "#!/bin/sh",
    mode: 0o644,
    want: /: chmod \+x /,
  },
];

for (const { name, text, mode = 0o755, want } of CASES) {
  Deno.test(`faultOfProgram() ${name}`, async () => {
    const dir = Deno.makeTempDirSync({ prefix: "bulkhead-care-" });
    const file = `${dir}/new`;
    Deno.writeTextFileSync(file, text);
    Deno.chmodSync(file, mode);
    const fault = await faultOfProgram(file);
    Deno.removeSync(dir, { recursive: true });
    if (want === undefined) assert.equal(fault, undefined);
    else assert.match(fault ?? "", want);
  });
}

Deno.test("faultOfProgram() says what is not there, and what is no file", async () => {
  assert.match(await faultOfProgram("/nowhere/new") ?? "", /is not there$/);
  assert.match(await faultOfProgram("/tmp") ?? "", /is no file$/);
});
