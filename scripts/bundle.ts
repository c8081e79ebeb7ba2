/**
 * `deno task bundle`: the whole program as one file, `dist/bulkhead.mjs`, to be
 * run by `deno run -A dist/bulkhead.mjs`. Needs neither npm nor a network
 * afterwards.
 */
Deno.chdir(new URL("..", import.meta.url));
Deno.mkdirSync("dist", { recursive: true });
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    ...["bundle", "--quiet", "--frozen"],
    ...["--output", "dist/bulkhead.mjs", "main.ts"],
  ],
}).output();
if (code === 0) {
  const { size } = Deno.statSync("dist/bulkhead.mjs");
  console.log(`dist/bulkhead.mjs: ${Math.ceil(size / 1_024)} KiB`);
}
Deno.exit(code);
