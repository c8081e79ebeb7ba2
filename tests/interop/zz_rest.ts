import { openWindow, startBrowser } from "./console_pages_fixture.ts";
const origin = "http://127.0.0.1:2528";
const B = "/tmp/wt/ex-con/dist/bulkhead";
const cfg = ["--config", "/tmp/ex-con/home/bulkhead.toml"];
async function cli(...a: string[]) {
  const o = await new Deno.Command(B, {
    args: [...a, ...cfg],
    env: { BULKHEAD_RUNTIME: "/tmp/ex-con-rt" },
  }).output();
  return new TextDecoder().decode(o.stdout) +
    new TextDecoder().decode(o.stderr);
}
const link = async () => (await cli("console")).split("\n")[0]!;
const roles = async () =>
  (JSON.parse(Deno.readTextFileSync("/tmp/ex-con/home/run/status.json"))
    .roles as any[]).filter((r) => /console|gate|queue/.test(r.instance)).map(
      (r) => r.instance + ":" + r.state,
    ).join(" ");
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
const b = await startBrowser();
console.log("before", await roles());
const w = await openWindow(b, origin, {
  viewport: { width: 1440, height: 900 },
});
const p = w.page;
p.setDefaultTimeout(8000);
const t0 = Date.now();
await p.goto(await link());
await p.waitForURL(origin + "/");
console.log("signed in from rest", Date.now() - t0, "ms");
await p.goto(origin + "/clients");
console.log(
  "clients:",
  (await p.locator("main").innerText()).slice(0, 200).replace(/\n/g, "|"),
);
await p.close();
await sleep(40000);
console.log("after 40 s signed in, no page open:", await roles());
const q = await w.context.newPage();
await q.goto(origin + "/clients");
console.log(
  "clients:",
  await q.locator("h1").innerText(),
  (await q.locator("main").innerText()).slice(0, 150).replace(/\n/g, "|"),
);
await q.locator("button", { hasText: "Sign out" }).click();
await sleep(500);
console.log(
  "out:",
  q.url(),
  await q.locator(".notice").allInnerTexts(),
  await q.title(),
);
await q.close();
await sleep(35000);
console.log("after sign-out", await roles());
const n = await w.context.newPage();
const t = Date.now();
await n.goto(origin + "/");
console.log(
  "page from rest",
  Date.now() - t,
  (await n.locator("main").innerText()).slice(0, 120).replace(/\n/g, "|"),
);
console.log("FAULTS", w.faults);
await b.close();
