/**
 * `deno task bundle`: the whole server in `dist/`: `bulkhead.mjs` for people,
 * to be run by `deno run -A dist/bulkhead.mjs`, and the programs that it
 * starts. Needs neither npm nor a network afterwards.
 */
import { programs } from "../main.ts";
import { placePrograms } from "../mod/supervisor/installation.ts";

Deno.chdir(new URL("..", import.meta.url));
Deno.mkdirSync("dist", { recursive: true });
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    ...["bundle", "--quiet", "--frozen"],
    ...["--output", "dist/bulkhead.mjs", "main.ts"],
  ],
}).output();
if (code !== 0) Deno.exit(code);

const home = Deno.makeTempDirSync();
try {
  Deno.mkdirSync(`${home}/runtime`);
  const dir = await placePrograms(home, programs);
  let octets = Deno.statSync("dist/bulkhead.mjs").size;
  for (const { name } of Deno.readDirSync(dir)) {
    Deno.copyFileSync(`${dir}/${name}`, `dist/${name}`);
    octets += Deno.statSync(`dist/${name}`).size;
  }
  console.log(`dist: ${Math.ceil(octets / 1_024)} KiB`);
} finally {
  Deno.removeSync(home, { recursive: true });
}
