/**
 * The shred role. It overwrites what lies in one directory, in place, with
 * random octets; it holds no key, knows no message, and can neither make,
 * remove nor rename a file: the spool puts there what nobody needs any more
 * and takes it back.
 */
import { runRole } from "../ipc/role_runtime.ts";
import { shredAnswers } from "./answers.ts";
import { Eraser } from "./eraser.ts";
import { shredPart } from "./role.ts";
import { shredContract } from "./shred_ipc.ts";

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(shredPart, (ctx) => {
    const { dir, journalBytes } = ctx.part;
    const eraser = new Eraser({ journalBytes, count: ctx.count });
    ctx.answer(shredContract, shredAnswers(eraser, dir));
    ctx.restsWhen(() => true);
    ctx.onStop(() => eraser.stop());
  });
}
