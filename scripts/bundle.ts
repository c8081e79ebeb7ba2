/**
 * `deno task bundle`: the whole server in `dist/`: `bulkhead.mjs` for people,
 * to be run by `deno run -A dist/bulkhead.mjs`, and the programs that it
 * starts. Needs neither npm nor a network afterwards.
 */
import { bundlePrograms } from "./compile/bundle_programs.ts";

Deno.chdir(new URL("..", import.meta.url));
Deno.mkdirSync("dist", { recursive: true });
let octets = 0;
for (const [name, content] of await bundlePrograms()) {
  Deno.writeFileSync(`dist/${name}`, content);
  octets += content.length;
}
console.log(`dist: ${Math.ceil(octets / 1_024)} KiB`);
