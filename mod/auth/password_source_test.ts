import { strictEqual } from "node:assert/strict";
import { formatPasswords } from "../login/password_file.ts";
import { cheapLines, type CheapPassword } from "./logins_fixture.ts";
import { PasswordSource } from "./password_source_io.ts";

function inTemp(run: (path: string) => void): void {
  const dir = Deno.makeTempDirSync();
  try {
    run(`${dir}/passwords`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** As the command line does. */
function replace(path: string, text: string): void {
  Deno.writeTextFileSync(`${path}.new`, text);
  Deno.renameSync(`${path}.new`, path);
}

function text(...passwords: CheapPassword[]): string {
  return formatPasswords(cheapLines(passwords));
}

const me = { user: "me", password: "x" };
const you = { user: "you", password: "x" };

Deno.test("PasswordSource sees at once that the file was replaced", () =>
  inTemp((path) => {
    replace(path, text(me));
    const source = new PasswordSource(path);
    strictEqual(source.logins()?.size, 1);
    strictEqual(source.logins(), source.logins(), "read once");
    replace(path, text(me, you));
    strictEqual(source.logins()?.size, 2);
  }));

Deno.test("PasswordSource keeps what was in force when the new file is faulty", () =>
  inTemp((path) => {
    replace(path, text(me));
    const source = new PasswordSource(path);
    source.logins();
    replace(path, "me@home.test:secret\n");
    strictEqual(source.logins()?.size, 1);
    replace(path, text(me, you));
    strictEqual(source.logins()?.size, 2);
  }));

Deno.test("PasswordSource has nothing while the file is not there", () =>
  inTemp((path) => {
    const source = new PasswordSource(path);
    strictEqual(source.logins(), undefined);
    replace(path, text(me));
    strictEqual(source.logins()?.size, 1);
    Deno.removeSync(path);
    strictEqual(source.logins(), undefined);
    replace(path, text(me));
    strictEqual(source.logins()?.size, 1);
  }));
