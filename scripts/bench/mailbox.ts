/** Looking at the `new` of a Maildir from outside. */

/** How many messages are there. */
export function countMessages(box: string): number {
  let count = 0;
  for (const _ of entries(box)) count++;
  return count;
}

/** Removes all messages. */
export function emptyBox(box: string): void {
  for (const { name } of [...entries(box)]) Deno.removeSync(`${box}/${name}`);
}

/** Empty too if the server makes the Maildir only with its first message. */
function entries(box: string): Iterable<Deno.DirEntry> {
  try {
    return [...Deno.readDirSync(box)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
