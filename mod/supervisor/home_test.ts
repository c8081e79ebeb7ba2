import assert from "node:assert/strict";
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
