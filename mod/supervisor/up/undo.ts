/**
 * What `down` does with each thing that `up` made. Nothing that somebody
 * changed is removed, and no mail.
 */
import { isThere } from "../replace_file.ts";
import { linkTo, putBack } from "./links.ts";
import { digest, type Made, type Manifest } from "./manifest.ts";
import { type Service, succeeds } from "./service.ts";

/** What became of one thing. */
export interface Undone {
  readonly what: string;
  readonly did: "removed" | "kept" | "put back";
  readonly why?: string;
}

/** How to go about it. */
export interface UndoOptions {
  readonly manifest: Manifest;
  readonly service: Service;
  /** The mail goes, too. */
  readonly purgesMail: boolean;
  readonly tell: (one: Undone) => void;
}

/** Undoes all of it, the last first. A step that was done is harmless. */
export async function undoAll(options: UndoOptions): Promise<void> {
  const { manifest, tell } = options;
  const isUser = ({ kind }: Made) => kind === "account" || kind === "group";
  // Users last: they stay as long as something is theirs.
  const order = [
    ...manifest.all.filter((one) => !isUser(one)).toReversed(),
    ...manifest.all.filter(isUser).toReversed(),
  ];
  for (const one of order) {
    const undone = await undo(one, options);
    if (undone !== undefined) tell(undone);
  }
  if (manifest.all.length === 0) return;
  const left = manifest.all.filter(({ kind }) => kind === "directory");
  // A directory goes with the last thing in it, and that may be the manifest.
  if (left.length < manifest.all.length) return;
  for (const one of left.toReversed()) {
    manifest.remove(one);
    if (one.kind === "directory") removeIfEmpty(one.path);
  }
}

async function undo(
  one: Made,
  { manifest, service, purgesMail }: UndoOptions,
): Promise<Undone | undefined> {
  switch (one.kind) {
    case "service":
      await service.stop();
      if (one.how === "none" && isThere(one.log)) Deno.removeSync(one.log);
      manifest.remove(one);
      return { what: "the running server", did: "removed" };
    case "file": {
      // One that runs this was replaced by a newer one, and not edited.
      const isOurs = !isThere(one.path) ||
        one.path === Deno.env.get("BULKHEAD_FILE") ||
        digest(Deno.readFileSync(one.path)) === one.sha256;
      if (!isOurs) {
        return { what: one.path, did: "kept", why: "it was edited" };
      }
      removeIfThere(one.path);
      manifest.remove(one);
      if (one.path === service.file?.path) service.forget();
      return { what: one.path, did: "removed" };
    }
    case "link": {
      const isOurs = linkTo(one.path) === one.to;
      if (isOurs) Deno.removeSync(one.path);
      manifest.remove(one);
      return isOurs || !isThere(one.path)
        ? { what: one.path, did: "removed" }
        : {
          what: one.path,
          did: "kept",
          why: "it is another program's by now",
        };
    }
    case "aside":
      putBack(one.path);
      manifest.remove(one);
      return isThere(one.to)
        ? {
          what: one.to,
          did: "kept",
          why: `something new lies at ${one.path}`,
        }
        : { what: one.path, did: "put back" };
    case "home":
      return undoHome(one, { manifest, purgesMail });
    case "account":
    case "group":
      return undoAccount(one, manifest);
    case "directory":
      return undefined;
  }
}

/** Only mail, what belongs to it, and the users that own it stay. */
function undoHome(
  one: Made & { readonly kind: "home" },
  { manifest, purgesMail }: Pick<UndoOptions, "manifest" | "purgesMail">,
): Undone | undefined {
  if (!isThere(one.path)) {
    manifest.remove(one);
    return undefined;
  }
  if (one.run !== `${one.path}/run`) removeIfThere(one.run);
  if (purgesMail) {
    removeIfThere(one.path);
    manifest.remove(one);
    return { what: one.path, did: "removed" };
  }
  removeIfThere(`${one.path}/run`);
  removeIfThere(`${one.path}/runtime`);
  return {
    what: one.path,
    did: "kept",
    why: "mail, queue, mailboxes, passwords, certificate: `up` with the same " +
      "domain goes on with them, `down --purge-mail` removes them",
  };
}

function undoAccount(
  one: Made & { readonly kind: "account" | "group" },
  manifest: Manifest,
): Undone {
  // A number that is free is given to the next program that wants a user, and
  // with it what it owned.
  if (manifest.all.some(({ kind }) => kind === "home")) {
    return { what: `${one.kind} ${one.name}`, did: "kept", why: "owns mail" };
  }
  const command = one.kind === "account" ? "userdel" : "groupdel";
  succeeds(command, one.name);
  manifest.remove(one);
  return { what: `${one.kind} ${one.name}`, did: "removed" };
}

function removeIfThere(path: string): void {
  if (isThere(path)) Deno.removeSync(path, { recursive: true });
}

/** Removes a directory that nobody uses. */
export function removeIfEmpty(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Something of somebody else's is in it, or it is gone.
  }
}
