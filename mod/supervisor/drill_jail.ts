/** One hostile script in one role's jail. */
import type { Attempt, Orders } from "../walls/drill/deed.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";
import {
  type Installation,
  jailCommand,
  renderWalls,
  type Weakened,
} from "../walls/render.ts";
import { edgesOf } from "./roles.ts";

/** A script that has not ended by then is killed. */
const WITHIN_MS = 30_000;
/** Most octets read of a script's output. */
const MAX_OUTPUT_OCTETS = 1 << 20;

/** Whose jail, and which of its walls stand. */
export interface Jail {
  readonly site: Site;
  readonly manifests: readonly RoleManifest[];
  readonly installation: Installation;
  readonly manifest: RoleManifest;
  readonly weakened: Weakened;
}

/** A started script. */
export class HostileProcess {
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #attempts: Attempt[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly #done: Promise<void>;
  readonly #deadline: ReturnType<typeof setTimeout>;

  constructor(jail: Jail, orders: Orders) {
    const { command, args } = jailCommand(
      jail.installation,
      walls(jail).spec,
    );
    this.#process = new Deno.Command(command, {
      args,
      cwd: "/",
      clearEnv: true,
      env: { NO_COLOR: "1", DENO_DIR: "/dev/null" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#deadline = setTimeout(() => this.#process.kill("SIGKILL"), WITHIN_MS);
    this.#stdin = this.#process.stdin.getWriter();
    // A script that dies at once is told of by its missing answers.
    this.#stdin.write(new TextEncoder().encode(JSON.stringify(orders) + "\n"))
      .catch(() => {});
    this.#ready.promise.catch(() => {});
    this.#done = this.#read(`${jail.manifest.name}'s jail`);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Resolves when a script that stays has laid its bait.
   *
   * @throws {Error} If it died, with its last words
   */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Lets it end, and returns what it did. */
  async end(): Promise<readonly Attempt[]> {
    await this.#stdin.close().catch(() => {});
    await this.#done;
    return this.#attempts;
  }

  async #read(name: string): Promise<void> {
    const errors = lastWords(this.#process.stderr);
    let text = "";
    let octets = 0;
    for await (
      const part of this.#process.stdout.pipeThrough(new TextDecoderStream())
    ) {
      octets += part.length;
      if (octets > MAX_OUTPUT_OCTETS) break;
      const lines = (text + part).split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#heard(line);
    }
    const words = await errors;
    await this.#process.status;
    clearTimeout(this.#deadline);
    this.#ready.reject(new Error(`Cannot drill in ${name}: ${words}`));
  }

  #heard(line: string): void {
    const attempt: Attempt = JSON.parse(line);
    if (attempt.act === "ready") this.#ready.resolve();
    else this.#attempts.push(attempt);
  }
}

function walls({ manifest, manifests, site, installation, weakened }: Jail) {
  const plugs = edgesOf(manifests, site)
    .filter((edge) => edge.answerer === manifest.name)
    .map((edge) => edge.path);
  return renderWalls(
    { manifest, instance: `${manifest.name}.drill`, plugs, fds: [] },
    site,
    installation,
    ["hostile"],
    weakened,
  );
}

async function lastWords(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-1_000);
  }
  return text.trim() || "it said nothing";
}
