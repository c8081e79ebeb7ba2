/**
 * The names by which other programs hand in mail: sendmail, mailq,
 * newaliases. All of them or none: a mailq of ours beside somebody else's
 * sendmail would show the wrong queue.
 */
import { dirname } from "node:path";
import { isThere } from "../replace_file.ts";
import type { Manifest } from "./manifest.ts";
import { succeeds } from "./service.ts";

/** Where programs look for them. */
export const LINKS = [
  "/usr/sbin/sendmail",
  "/usr/lib/sendmail",
  "/usr/bin/mailq",
  "/usr/bin/newaliases",
] as const;

/** What another program's file is called while ours lies in its place. */
function asideOf(path: string): string {
  return `${path}.before-bulkhead`;
}

/** Names that lead elsewhere, and are not `target`. */
export function foreignLinks(
  target: string,
  paths: readonly string[] = LINKS,
): string[] {
  return paths.filter((path) => isThere(path) && linkTo(path) !== target);
}

/**
 * Names that do not lead to `target`. Where a small system has no such
 * directory, nobody looks there either.
 */
export function wrongLinks(
  target: string,
  paths: readonly string[] = LINKS,
): string[] {
  return paths.filter((path) =>
    isThere(dirname(path)) && linkTo(path) !== target
  );
}

/** Where a link leads; undefined if it is none. */
export function linkTo(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** Makes them, and moves what is in the way aside. */
export function makeLinks(
  target: string,
  manifest: Manifest,
  paths: readonly string[] = LINKS,
): void {
  for (const path of wrongLinks(target, paths)) {
    if (isThere(path)) {
      manifest.add({ kind: "aside", path, to: asideOf(path) });
      moveAside(path);
    }
    manifest.add({ kind: "link", path, to: target });
    Deno.symlinkSync(target, path);
  }
}

const DIVERT = "/usr/bin/dpkg-divert";

/** dpkg is told, so that an upgrade of that package does not take it back. */
function moveAside(path: string): void {
  const words = ["--quiet", "--local", "--rename", "--divert", asideOf(path)];
  if (isThere(DIVERT)) succeeds(DIVERT, ...words, "--add", path);
  if (isThere(path)) Deno.renameSync(path, asideOf(path));
}

/** Puts back what {@link makeLinks} moved; the link is gone already. */
export function putBack(path: string): void {
  const aside = asideOf(path);
  if (isThere(DIVERT)) {
    const words = ["--quiet", "--local", "--rename", "--remove", path];
    succeeds(DIVERT, ...words);
  }
  if (isThere(aside) && !isThere(path)) Deno.renameSync(aside, path);
}
