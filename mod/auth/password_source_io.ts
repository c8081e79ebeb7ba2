/**
 * The password file as it is now. It is replaced, never written, so a look at
 * its inode before each login is enough to notice a change, and one that is
 * read is read whole.
 */
import { randomBytes } from "node:crypto";
import { log } from "../core/log.ts";
import { parsePasswords } from "../login/password_file.ts";
import { Logins } from "./logins.ts";

/** Faults told at once. */
const MAX_FAULTS = 10;

/** See the file's header. */
export class PasswordSource {
  readonly #path: string;
  readonly #spareKey = randomBytes(32);
  #version = "";
  #logins: Logins | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The logins; undefined if the file cannot be read. A file with faults
   * changes nothing: the one before it is still in force.
   */
  logins(): Logins | undefined {
    const version = this.#look();
    if (version === undefined) return undefined;
    if (version !== this.#version) this.#read(version);
    return this.#logins;
  }

  #look(): string | undefined {
    try {
      const { ino, size, mtime } = Deno.statSync(this.#path);
      return `${ino} ${size} ${mtime?.getTime()}`;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #read(version: string): void {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // Also if it is faulty: the next look is not to tell that again.
    this.#version = version;
    const parsed = parsePasswords(text);
    if (!parsed.ok) {
      log("passwords-faulty", {
        faults: parsed.faults.slice(0, MAX_FAULTS).map((one) =>
          `${this.#path}:${one.line}: ${one.message}`
        ),
        todo: "mend these lines, or set the passwords anew: " +
          "bulkhead user passwd",
        alarm: true,
      });
      return;
    }
    this.#logins = new Logins(parsed.lines, this.#spareKey);
    log("passwords-read", { logins: this.#logins.size });
  }

  #fail(error: unknown): void {
    // Told once, and again after it could be read in between.
    if (this.#version === "unreadable") return;
    this.#version = "unreadable";
    this.#logins = undefined;
    log("passwords-unreadable", {
      why: error instanceof Error ? error.message : String(error),
      todo: "nobody can log in: see bulkhead check",
      alarm: true,
    });
  }
}
