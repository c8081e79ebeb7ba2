/** The other host of `--relay`: Postfix's smtp-sink, which counts. */
import { until } from "./command.ts";
import { answers } from "./server.ts";

/** A sink that runs. */
export interface Sink {
  readonly port: number;
  /** Messages taken since it was started. */
  received(): number;
  stop(): Promise<void>;
}

/** Starts it. */
export async function startSink(port: number): Promise<Sink> {
  // It does not run as root.
  const user = Deno.uid() === 0 ? ["-u", "nobody"] : [];
  const child = new Deno.Command("smtp-sink", {
    args: [...user, "-c", `127.0.0.1:${port}`, "1000"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let counted = 0;
  const reading = (async () => {
    const text = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      // A part may end inside a number; the next line mends it.
      for (const [, mesg] of part.matchAll(/mesg=(\d+)\r/g)) {
        counted = Number(mesg);
      }
    }
  })();
  let ended = false;
  child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGKILL");
    await Promise.all([child.status, reading]);
  };
  if (!await until(() => answers(port), { withinMs: 5_000 })) {
    await stop();
    throw new Error(`Cannot start smtp-sink on port ${port}`);
  }
  return { port, received: () => counted, stop };
}
