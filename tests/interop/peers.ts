/** Which foreign programs are here. */

/** True if every one of these files is there; says which are not. */
export function areInstalled(test: string, ...paths: string[]): boolean {
  const missing = paths.filter((path) => {
    try {
      return !Deno.statSync(path).isFile;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return true;
  console.log(`${test}: skipped, ${missing.join(" and ")} not installed`);
  return false;
}
