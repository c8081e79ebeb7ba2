/** Where a role's user cannot go, and so needs a veil. */

/**
 * The topmost ancestor of `home` that other users may not search, if any:
 * then roles need a veil, see `mod/walls/jail.ts`.
 */
export function veilFor(
  home: string,
): { cover: string; keep: string } | null {
  const parts = home.split("/").slice(1, -1);
  let path = "";
  for (const part of parts) {
    path += `/${part}`;
    const mode = Deno.statSync(path).mode ?? 0;
    if ((mode & 0o001) === 0) return { cover: path, keep: home };
  }
  return null;
}
