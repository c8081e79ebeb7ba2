/** The helper process that recovers one home after the other. */
import type { Recovered, Task } from "./recovery.ts";

/** Above what a recovery may take: then the process hangs. */
const ANSWER_WITHIN_MS = 30_000;

/** See `recovery_main.ts`. */
export class RecoveryHelper implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #held = "";

  /** @param logFile Gets its standard error */
  constructor(logFile: string) {
    const main = new URL("recovery_main.ts", import.meta.url).pathname;
    this.#process = new Deno.Command("/bin/sh", {
      args: ["-c", 'log=$1; shift; exec "$@" 2>>"$log"', "sh", logFile]
        .concat([Deno.execPath(), "run", "-A", "--no-check", main]),
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.getReader();
  }

  /** Recovers one; one at a time. @throws {Error} If the process ends */
  async recover(task: Task): Promise<Recovered> {
    await this.#writer.write(
      new TextEncoder().encode(`${JSON.stringify(task)}\n`),
    );
    const late = setTimeout(() => this.#kill(), ANSWER_WITHIN_MS);
    try {
      return JSON.parse(await this.#line()) as Recovered;
    } finally {
      clearTimeout(late);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.status;
    await this.#reader.cancel();
    await this.#writer.abort().catch(() => {});
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
  }

  async #line(): Promise<string> {
    const decoder = new TextDecoder();
    for (;;) {
      const end = this.#held.indexOf("\n");
      if (end >= 0) {
        const line = this.#held.slice(0, end);
        this.#held = this.#held.slice(end + 1);
        return line;
      }
      const { value } = await this.#reader.read();
      if (value === undefined) throw new Error("The recovery process ended");
      this.#held += decoder.decode(value, { stream: true });
    }
  }
}
