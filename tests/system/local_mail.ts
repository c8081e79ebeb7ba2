/**
 * The `sendmail` command for other programs and other users: the one file, or
 * the code of the checkout, which strangers cannot read, bundled beside the
 * installation.
 */
import assert from "node:assert/strict";
import { type Installation, ROOT } from "./server_fixture.ts";

/** A user of no rights, in every passwd(5). */
export const NOBODY = 65_534;

/**
 * Makes a program `sendmail` that hands in mail to `made`.
 *
 * @returns Its path, which any user may execute
 */
export async function placeSendmail(made: Installation): Promise<string> {
  const dir = made.beside("bin");
  await Deno.mkdir(dir);
  const path = `${dir}/sendmail`;
  const oneFile = Deno.env.get("BULKHEAD");
  const command = oneFile === undefined
    ? await bundled(made, dir)
    : `BULKHEAD_RUNTIME=${
      Deno.env.get("BULKHEAD_RUNTIME")
    } exec ${oneFile} sendmail`;
  await Deno.writeTextFile(
    path,
    `#!/bin/sh\n${command} -C ${made.home} "$@"\n`,
  );
  for (const one of [dir, path]) await Deno.chmod(one, 0o755);
  return path;
}

/** The checkout's code as one file in `dir`, and what runs it. */
async function bundled(made: Installation, dir: string): Promise<string> {
  const entry = made.beside("sendmail_entry.ts");
  await Deno.writeTextFile(
    entry,
    `import { sendmail } from "${ROOT}mod/submit/sendmail.ts";
const no = () => Promise.resolve(70);
Deno.exit(await sendmail(["sendmail", ...Deno.args], no));
`,
  );
  const bundle = `${dir}/sendmail.mjs`;
  const ran = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--config", `${ROOT}deno.json`]
      .concat(["--output", bundle, entry]),
  }).output();
  assert.ok(ran.success, new TextDecoder().decode(ran.stderr));
  await Deno.chmod(bundle, 0o644);
  const runtime = [...Deno.readDirSync(`${made.home}/runtime`)]
    .find(({ name }) => name.startsWith("deno-"))!.name;
  return `DENO_DIR=/dev/null DENO_NO_UPDATE_CHECK=1 exec ${made.home}/runtime/${runtime} ` +
    "run -A --quiet --no-prompt --no-config --no-lock --no-remote --no-npm " +
    `--no-code-cache ${bundle}`;
}

/** What a program printed, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly text: string;
}

/** Runs a shell line, as another user if so said. */
export async function shell(
  line: string,
  input: string | Uint8Array = "",
  uid?: number,
): Promise<Ended> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", line],
    cwd: "/",
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  const octets = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  // Who refuses a message does not read it.
  await writer.write(octets).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
