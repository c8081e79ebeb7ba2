import assert from "node:assert/strict";
import { FORMATS } from "../../core/formats.ts";
import { pathsOf } from "../plan.ts";
import {
  formatPath,
  type HomeFormat,
  newerFault,
  ownFormat,
  parseFormat,
  readFormat,
  standingOf,
  writeFormat,
} from "./format_file.ts";

const paths = pathsOf("/srv/home");
const own = ownFormat(paths);

const STANDINGS: {
  name: string;
  change: Partial<HomeFormat>;
  want: "same" | "older" | "newer";
}[] = [
  { name: "its own", change: {}, want: "same" },
  {
    name: "another release's of the same form",
    change: { program: "9.9.9" },
    want: "same",
  },
  {
    name: "one with an older queue",
    change: { versions: { ...FORMATS, queue: FORMATS.queue - 1 } },
    want: "older",
  },
  {
    name: "one with a newer queue",
    change: { versions: { ...FORMATS, queue: FORMATS.queue + 1 } },
    want: "newer",
  },
  {
    name: "one with something that this program knows nothing of",
    change: { versions: { ...FORMATS, teapot: 1 } as HomeFormat["versions"] },
    want: "newer",
  },
  {
    name: "one whose program knew fewer places",
    change: { places: own.places.slice(1) },
    want: "older",
  },
  {
    name: "one whose program knew more places",
    change: { places: [...own.places, "attic"] },
    want: "same",
  },
  {
    name: "one whose program knew fewer roles",
    change: { roles: own.roles.slice(1) },
    want: "older",
  },
];

for (const { name, change, want } of STANDINGS) {
  Deno.test(`standingOf() tells ${name}`, () => {
    assert.equal(standingOf({ ...own, ...change }, paths).kind, want);
  });
}

Deno.test("readFormat() reads what writeFormat() wrote, and takes no file for the oldest", () => {
  const home = Deno.makeTempDirSync({ prefix: "bulkhead-care-" });
  assert.equal(readFormat(home).kind, "none");
  writeFormat(pathsOf(home));
  const found = readFormat(home);
  assert.deepEqual(found, { kind: "found", format: ownFormat(pathsOf(home)) });
  Deno.writeTextFileSync(formatPath(home), "{");
  assert.equal(readFormat(home).kind, "unreadable");
  Deno.removeSync(home, { recursive: true });
});

Deno.test("parseFormat() sees that a newer program's file is newer, whatever it adds", () => {
  const text = JSON.stringify({
    ...own,
    versions: { ...own.versions, home: 99, spoon: 1 },
    more: ["things"],
  });
  const found = parseFormat(JSON.parse(text));
  assert.equal(found.kind, "found");
  const { format } = found as { format: HomeFormat };
  assert.equal(standingOf(format, paths).kind, "newer");
  assert.match(newerFault("/srv/home", format), /Start the newer program/);
});
