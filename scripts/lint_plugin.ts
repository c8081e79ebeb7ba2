/**
 * Taste as code. `bulkhead/role-imports`: a role imports from another role
 * only its `_ipc.ts` (what it may be asked) and `role.ts` is read by
 * `mod/walls`' callers only. So the import graph is the process graph.
 */

/** Folders under `mod/` that are pure libraries, not processes. */
const LIBRARIES = new Set([
  "core",
  "ipc",
  "config",
  "walls",
  "dane",
  "content",
  "recovery",
  "login",
  "journey",
]);

/**
 * What `bulkhead shred` does for any file is what the role does for segments:
 * the one engine, and what the file system makes of it.
 */
const COMMAND_LINE = /\/mod\/shred\/(overwrite|files|file_system)(_io)?\.ts$/;

/**
 * The `sendmail` command runs as its caller, in no jail: what it shares with
 * pickup is the form of the files that it leaves for it; the drill lays one.
 */
const SUBMIT_COMMAND =
  /\/mod\/submit\/(sendmail|sendmail_options|submit_facts|drop_file)\.ts$/;

/** Name of the role whose folder a path is in, if any. */
export function roleOf(path: string): string | undefined {
  if (/\/web\//.test(path)) return "console";
  const match = /\/mod\/([a-z0-9_]+)\//.exec(path);
  const folder = match?.[1];
  return folder === undefined || LIBRARIES.has(folder) ? undefined : folder;
}

/** Name of the library whose folder a path is in, if any. */
function libraryOf(path: string): string | undefined {
  const folder = /\/mod\/([a-z0-9_]+)\//.exec(path)?.[1];
  return folder !== undefined && LIBRARIES.has(folder) ? folder : undefined;
}

/** What is wrong with an import, or undefined. */
export function importFault(
  from: string,
  target: string,
): { message: string; hint: string } | undefined {
  // Bare names are libraries; everything else is a path, however written.
  if (!/^(\.|\/|file:)/.test(target)) return undefined;
  const path = new URL(target, `file://${from}`).pathname;
  const there = roleOf(path);
  if (there === undefined) return undefined;
  const library = libraryOf(from);
  if (library !== undefined) {
    return {
      message: `the library mod/${library} must not import the role ${there}`,
      hint: "Libraries know no roles: pass what is needed as a parameter.",
    };
  }
  const here = roleOf(from);
  if (here === undefined || here === there) return undefined;
  if (path.endsWith("_ipc.ts")) return undefined;
  // The supervisor renders manifests; it starts roles, it never imports one.
  if (here === "supervisor" && path.endsWith("/role.ts")) return undefined;
  if (here === "supervisor" && COMMAND_LINE.test(path)) return undefined;
  // What the supervisor tells the console: shapes, as in an `_ipc.ts`.
  if (here === "supervisor" && path.endsWith("/web/news.ts")) return undefined;
  if (here === "supervisor" && SUBMIT_COMMAND.test(path)) return undefined;
  return {
    message: `the role ${here} must not import ${target}`,
    hint: `Ask the ${there} process instead: import its *_ipc.ts.`,
  };
}

const plugin: Deno.lint.Plugin = {
  name: "bulkhead",
  rules: {
    "role-imports": {
      create(context) {
        const check = (
          node:
            | Deno.lint.ImportDeclaration
            | Deno.lint.ExportNamedDeclaration
            | Deno.lint.ExportAllDeclaration
            | Deno.lint.ImportExpression
            | Deno.lint.TSImportType,
          source: { value?: unknown } | null,
        ) => {
          if (typeof source?.value !== "string") return;
          const fault = importFault(context.filename, source.value);
          if (fault) context.report({ node, ...fault });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source),
          ExportNamedDeclaration: (node) => check(node, node.source),
          ExportAllDeclaration: (node) => check(node, node.source),
          ImportExpression: (node) => {
            const source = node.source as { value?: unknown };
            if (typeof source.value === "string") return check(node, source);
            // What is made at run time cannot be seen here.
            if (roleOf(context.filename) === undefined) return;
            context.report({
              node,
              message: "a role must not import what is not written out",
              hint: "Write the path as a string.",
            });
          },
          TSImportType: (node) => {
            const { argument } = node;
            if (argument.type !== "TSLiteralType") return;
            check(node, argument.literal as { value?: unknown });
          },
        };
      },
    },
  },
};

export default plugin;
