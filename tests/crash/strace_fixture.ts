/**
 * Makes system calls of a running role fail, by strace(1). Roles are not
 * dumpable, so only root can do that.
 */
import { IS_CI, IS_ROOT } from "../system/server_fixture.ts";

/** Most time for strace to get hold of all threads. */
const ATTACH_WITHIN_MS = 10_000;

/** True if calls can be made to fail here. On CI they must. */
export const CAN_INJECT: boolean = IS_ROOT && (IS_CI || hasStrace());

/** What shall fail, and how. */
export interface Fault {
  /** System calls, comma-separated. */
  readonly calls: string;
  readonly error: "EIO" | "ENOSPC";
  /** Which of each thread's calls, as strace's `when`; all if not said. */
  readonly when?: string;
  /** Only calls on these files; on all if not said. */
  readonly files?: readonly string[];
}

/** One role under strace. */
export class Injection {
  readonly #process: Deno.ChildProcess;
  readonly #trace: string;
  readonly #ended: Promise<unknown>;

  private constructor(process: Deno.ChildProcess, trace: string) {
    this.#process = process;
    this.#trace = trace;
    this.#ended = process.status;
  }

  /** Attaches; from then on the calls fail. */
  static async into(pid: number, fault: Fault): Promise<Injection> {
    const trace = await Deno.makeTempFile({ prefix: "bulkhead-strace-" });
    const when = fault.when === undefined ? "" : `:when=${fault.when}`;
    const process = new Deno.Command("strace", {
      args: ["-f", "-o", trace, "-p", String(pid)].concat(
        ["-e", `trace=${fault.calls}`],
        ["-e", `inject=${fault.calls}:error=${fault.error}${when}`],
        (fault.files ?? []).flatMap((file) => ["-P", file]),
      ),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const injection = new Injection(process, trace);
    await injection.#attached();
    return injection;
  }

  /** Calls that were made to fail so far. */
  get count(): number {
    return Deno.readTextFileSync(this.#trace).split("(INJECTED)").length - 1;
  }

  /** Lets the role go; returns how many calls failed. */
  async end(): Promise<number> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It went with its role.
    }
    await this.#ended;
    const { count } = this;
    await Deno.remove(this.#trace);
    return count;
  }

  async #attached(): Promise<void> {
    const heard = Promise.withResolvers<string>();
    let said = "";
    const decoder = new TextDecoder();
    const listen = async () => {
      for await (const bytes of this.#process.stderr) {
        said += decoder.decode(bytes, { stream: true });
        if (/ attached/.test(said)) heard.resolve("attached");
      }
      heard.resolve("ended");
    };
    listen();
    const late = setTimeout(() => heard.resolve("late"), ATTACH_WITHIN_MS);
    const how = await heard.promise;
    clearTimeout(late);
    if (how !== "attached") {
      await this.end();
      throw new Error(`strace did not attach (${how}): ${said}`);
    }
  }
}

function hasStrace(): boolean {
  try {
    return new Deno.Command("strace", { args: ["-V"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
