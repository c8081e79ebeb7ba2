/** The one file with a program as its launcher, made by `deno compile`. */
import { type Parts, payloadOf } from "./one_file.ts";

/**
 * Makes the file. The base runtime is what `DENORT_BIN` names, or what Deno
 * fetches.
 *
 * @throws {Error} With Deno's words
 */
export async function compiledFile(
  parts: Parts,
  output: string,
): Promise<void> {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-compile-" });
  try {
    await putTogether(parts, dir);
    const target = { x64: "x86_64", arm64: "aarch64" }[parts.runtime.arch];
    await deno(dir, [
      ...["compile", "-A", "--no-config", "--no-check", "--quiet"],
      ...["--target", `${target}-unknown-linux-gnu`],
      ...["--include", "payload", "--output", "bulkhead", "launcher.mjs"],
    ]);
    const part = `${output}.part${Deno.pid}`;
    Deno.copyFileSync(`${dir}/bulkhead`, part);
    Deno.chmodSync(part, 0o755);
    Deno.renameSync(part, output);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** Writes the launcher and its payload to a directory, ready to run. */
export async function putTogether(parts: Parts, dir: string): Promise<void> {
  const { facts, pack } = payloadOf(parts);
  Deno.mkdirSync(`${dir}/payload`);
  Deno.writeTextFileSync(`${dir}/payload/facts.json`, JSON.stringify(facts));
  Deno.writeFileSync(`${dir}/payload/programs.gz`, pack);
  Deno.writeFileSync(`${dir}/payload/runtime.gz`, parts.packedRuntime);
  const main = new URL("launcher_main.ts", import.meta.url).pathname;
  await deno(new URL("../../", import.meta.url).pathname, [
    ...["bundle", "--quiet", "--minify"],
    ...["--output", `${dir}/launcher.mjs`, main],
  ]);
}

async function deno(cwd: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(
    `deno ${args[0]} failed: ${new TextDecoder().decode(stderr).trim()}`,
  );
}
