/**
 * `up` that ends by SIGKILL at the first thing it did that lasts, or `down` at
 * the third: run again and again, `up` is killed between any two of its
 * steps, and `down` between some of its.
 */
import { programs } from "../../main.ts";
import { down } from "../../mod/supervisor/commands/down.ts";
import { up } from "../../mod/supervisor/commands/up.ts";

let left = Deno.args[0] === "up" ? 1 : 3;

function die(): void {
  if (--left > 0) return;
  Deno.kill(Deno.pid, "SIGKILL");
}

const common = { json: true, address: [], reach: "remote.test", offline: true };
Deno.exit(
  Deno.args[0] === "up"
    ? await up(
      "home.test",
      {
        ...common,
        user: ["me"],
        passwordFile: Deno.args[1]!,
        links: true,
        dryRun: false,
      },
      programs,
      die,
    )
    : await down({ json: true, purgeMail: true, yes: true }, programs, die),
);
