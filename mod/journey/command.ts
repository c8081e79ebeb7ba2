/**
 * Commands that people copy into a root's shell, with words of strangers in
 * them: an address may hold `$`, `;` or a backtick. Pure.
 */

/** What no shell takes for more than itself, and no program for an option. */
const SAFE = /^[A-Za-z0-9_.][A-Za-z0-9_.:/@+-]*$/;

/** A word of a command; `placeholder` where the word is not harmless. */
export function word(text: string, placeholder: string): string {
  return text.length <= 320 && SAFE.test(text) ? text : placeholder;
}

/** A whole command that another role wrote; empty if it is none of ours. */
export function harmless(command: string): string {
  const words = command.split(" ");
  const isOurs = words[0] === "bulkhead" && command.length <= 400 &&
    words.every((one) => SAFE.test(one));
  return isOurs ? command : "";
}
