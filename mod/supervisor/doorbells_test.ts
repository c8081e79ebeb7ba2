import assert from "node:assert/strict";
import { openLibc, ownLibcPath } from "../walls/libc.ts";
import { Doorbells, watchDirectory } from "./doorbells.ts";
import { listenTcp } from "./sockets.ts";

const libc = openLibc(ownLibcPath());

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("Doorbells rings for whom somebody connects to, and for nobody else", async () => {
  const ports = { submission: freePort(), console: freePort() };
  const fds = {
    submission: listenTcp(libc, "127.0.0.1", ports.submission),
    console: listenTcp(libc, "127.0.0.1", ports.console),
  };
  const asleep = new Set<"submission" | "console">(["submission", "console"]);
  const rung: string[] = [];
  const bells = new Doorbells<"submission" | "console">({
    libc,
    sleepers: () => [...asleep].map((name) => ({ name, fds: [fds[name]] })),
    rung: (name) => {
      rung.push(name);
      asleep.delete(name);
    },
  });
  const watching = bells.watch();
  await bells.watch(); // already: this one ends at once
  const first = await Deno.connect({ port: ports.console });
  while (rung.length === 0) await new Promise((done) => setTimeout(done, 5));
  assert.deepEqual(rung, ["console"]);
  const second = await Deno.connect({ port: ports.submission });
  await watching;
  assert.deepEqual(rung, ["console", "submission"]);
  first.close();
  second.close();
  for (const fd of Object.values(fds)) libc.close(fd);
});

Deno.test("watchDirectory() makes a bell of what appears in a directory", async () => {
  const dir = Deno.makeTempDirSync();
  const fd = watchDirectory(libc, dir)!;
  let isAsleep = true;
  const bells = new Doorbells({
    libc,
    sleepers: () => isAsleep ? [{ name: "pickup", fds: [fd] }] : [],
    rung: () => void (isAsleep = false),
  });
  const watching = bells.watch();
  await new Promise((done) => setTimeout(done, 50));
  assert.ok(isAsleep);
  Deno.writeTextFileSync(`${dir}/one`, "");
  await watching;
  libc.close(fd);
  Deno.removeSync(dir, { recursive: true });
  assert.equal(watchDirectory(libc, dir), undefined, "it is not there");
});

Deno.test("Doorbells does not spin where poll(2) fails", async () => {
  let polls = 0;
  let isAsleep = true;
  const bells = new Doorbells({
    libc: {
      poll: () => {
        polls++;
        return new Promise((done) => setTimeout(() => done(-1), 1));
      },
    },
    sleepers: () => isAsleep ? [{ name: "pickup", fds: [0] }] : [],
    rung: () => assert.fail("nobody rang"),
  });
  const watching = bells.watch();
  await new Promise((done) => setTimeout(done, 150));
  isAsleep = false;
  await watching;
  assert.ok(polls <= 3, `${polls} polls`);
});
