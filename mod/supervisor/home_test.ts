import assert from "node:assert/strict";
import { accountsFromRange, DEFAULT_UID_BASE } from "./accounts.ts";
import { checkPlaces, makePlaces, moveOldSegments, placesOf } from "./home.ts";
import { pathsOf } from "./plan.ts";

/** The tree of an ordinary user's home in a directory of its own. */
function tree(change: (home: string) => Partial<ReturnType<typeof pathsOf>>) {
  const home = Deno.makeTempDirSync({ dir: "/tmp" });
  const places = placesOf({ ...pathsOf(home), ...change(home) });
  return {
    places,
    [Symbol.dispose]: () => Deno.removeSync(home, { recursive: true }),
  };
}

Deno.test("checkPlaces() is content with what makePlaces() made", () => {
  using made = tree(() => ({}));
  makePlaces(made.places, null);
  assert.deepEqual(checkPlaces(made.places, null), []);
});

Deno.test("checkPlaces() tells of a password file that others may read", () => {
  using made = tree(() => ({}));
  makePlaces(made.places, null);
  const path = (end: string) =>
    made.places.find((one) => one.path.endsWith(end))!.path;
  Deno.chmodSync(path("/auth/passwords"), 0o644);
  Deno.chmodSync(path("/auth"), 0o755);
  const faults = checkPlaces(made.places, null).join("\n");
  assert.match(faults, /auth may be entered by more .*chmod 0750 \S+\/auth\n/);
  assert.match(faults, /passwords may be read .*chmod 0640 \S+passwords$/);
});

Deno.test("checkPlaces() tells of a password file that its role cannot read", {
  ignore: Deno.uid() !== 0,
}, () => {
  using made = tree(() => ({}));
  const accounts = accountsFromRange(DEFAULT_UID_BASE);
  makePlaces(made.places, accounts);
  assert.deepEqual(checkPlaces(made.places, accounts), []);
  const { path } = made.places.find((one) => one.path.endsWith("/passwords"))!;
  Deno.chmodSync(path, 0o600);
  assert.match(
    checkPlaces(made.places, accounts).join(),
    /passwords is closed to auth \(mode 0600\): chmod 0640/,
  );
  Deno.chownSync(path, 0, 0);
  assert.match(checkPlaces(made.places, accounts).join(), /belongs to 0:0/);
});

Deno.test("checkPlaces() wants the spool and its spent segments on one file system", () => {
  const there = Deno.makeTempDirSync({ dir: "/dev/shm" });
  try {
    using made = tree(() => ({ spentDir: `${there}/spent` }));
    makePlaces(made.places, null);
    const isOne = Deno.statSync("/tmp").dev === Deno.statSync("/dev/shm").dev;
    const faults = checkPlaces(made.places, null);
    assert.equal(faults.length, isOne ? 0 : 1, faults.join());
    if (!isOne) assert.match(faults[0]!, /spent must lie on one file system/);
  } finally {
    Deno.removeSync(there, { recursive: true });
  }
});

Deno.test("moveOldSegments() takes segments to where they belong now", () => {
  const home = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    const paths = pathsOf(home);
    makePlaces(placesOf(paths), null);
    Deno.writeTextFileSync(`${home}/spool/pool-1.seg`, "octets");
    moveOldSegments(paths);
    moveOldSegments(paths);
    const there = `${paths.spoolDir}/pool-1.seg`;
    assert.equal(Deno.readTextFileSync(there), "octets");
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
});
