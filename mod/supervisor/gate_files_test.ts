import assert from "node:assert/strict";
import { loadConfig } from "../config/load.ts";
import { readGateFiles } from "./gate_files.ts";
import { cannotRead } from "./site_io.ts";

/** Reads the files of `settings` in a directory with `files`. */
function read(settings: string, files: Record<string, string>) {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-files-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${dir}/${name}`, text);
    }
    const loaded = loadConfig(
      `[server]\nhostname = "a.test"\nlocal_domains = ["a.test"]\n${settings}`,
      `${dir}/bulkhead.toml`,
    );
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const got = readGateFiles(loaded.config, cannotRead);
    return got.ok
      ? got
      : { ok: false, faults: got.faults.map((one) => one.replace(dir, "")) };
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("readGateFiles() reads lists and tables", () => {
  const got = read(
    '[screening]\ndeny_file = "deny"\n[access]\nsender = ["one", "two"]',
    { deny: "192.0.2.0/24\n", one: "a.test OK\n", two: "" },
  );
  assert.ok(got.ok && "files" in got);
  assert.equal(got.files.denyFile?.text, "192.0.2.0/24\n");
  assert.equal(got.files.allowFile, null);
  assert.deepEqual(got.files.access.sender.map(({ text }) => text), [
    "a.test OK\n",
    "",
  ]);
});

Deno.test("readGateFiles() waits for no device and no FIFO", () => {
  assert.deepEqual(
    read('[screening]\ndeny_file = "/dev/full"\nallow_file = "/tmp"', {}),
    {
      ok: false,
      faults: [
        "/tmp is no ordinary file",
        "/dev/full is no ordinary file",
      ],
    },
  );
});

Deno.test("readGateFiles() names every mistake with file and line", () => {
  const got = read(
    '[screening]\ndeny_file = "deny"\nallow_file = "gone"\n' +
      '[access]\nclient = ["c"]\nrecipient = ["r"]',
    { deny: "# x\n192.0.2.1/24\nname\n", c: "a.test OK\n", r: "<> OK\n" },
  );
  assert.deepEqual(got, {
    ok: false,
    faults: [
      "/gone is not there",
      '/deny:2: "192.0.2.1/24" has bits set beyond its first 24: it should ' +
      "be 192.0.2.0/24",
      '/deny:3: "name" is no address or network such as "192.0.2.0/24" or ' +
      '"2001:db8::/32"',
      '/c:1: "a.test" is a name, and clients\' names are not looked up: write ' +
      "an address or a network",
      '/r:1: "<>" is no address, domain, .domain or user@',
    ],
  });
});

Deno.test("readGateFiles() refuses a file that is too large", () => {
  const got = read('[access]\nhelo = ["h"]', {
    h: "#".repeat(16 * 1024 * 1024 + 1),
  });
  assert.ok(!got.ok && "faults" in got);
  assert.match(got.faults[0]!, /^\/h is too large/);
});
