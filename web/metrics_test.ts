import assert from "node:assert/strict";
import { formatted } from "../scripts/formatted.ts";
import { METRICS_PAGE, metricsPage } from "../scripts/metrics_doc.ts";
import { Lab, madeUpSources } from "./console_fixture.ts";
import { answerMetrics } from "./metrics_access.ts";
import { formatFamilies } from "./metrics_format.ts";
import { FAMILIES, labelNames, metricsText } from "./metrics.ts";
import { FED } from "./metrics_table.ts";
import { madeUpServer } from "./metrics_fixture.ts";

Deno.test("formatFamilies() escapes as the format says", () => {
  const text = formatFamilies([
    {
      name: "a_total",
      type: "counter",
      help: 'a "b" \\ c\nd',
      samples: [{ labels: { x: 'q"\\\n' }, value: 1 }],
    },
    { name: "empty", type: "gauge", help: "", samples: [] },
  ]);
  assert.equal(
    text,
    '# HELP a_total a "b" \\\\ c\\nd\n# TYPE a_total counter\n' +
      'a_total{x="q\\"\\\\\\n"} 1\n',
  );
});

Deno.test("metricsText() has every family, each sample once, with the labels that are documented", async () => {
  const text = await metricsText(madeUpServer());
  const lines = text!.trimEnd().split("\n");
  const samples = lines.filter((one) => !one.startsWith("#"))
    .map((one) => one.slice(0, one.lastIndexOf(" ")));
  assert.equal(new Set(samples).size, samples.length);
  for (const family of FAMILIES) {
    assert.ok(text!.includes(`# TYPE ${family.name} ${family.type}\n`));
    const own = samples.filter((one) => one.split("{")[0] === family.name);
    const names = new Set(own.flatMap((one) => {
      const set = one.split("{")[1] ?? "";
      return [...set.matchAll(/([a-z]+)="/g)].map((match) => match[1]!);
    }));
    if (family.type === "histogram") continue;
    assert.deepEqual([...names].sort(), [...labelNames(family)].sort());
  }
});

Deno.test("metricsText() sums nothing over processes and begins at 0", async () => {
  const text = await metricsText(madeUpServer());
  assert.match(
    text!,
    /^bulkhead_connections_total\{role="smtpd",process="0"\} 7$/m,
  );
  assert.match(
    text!,
    /^bulkhead_connections_total\{role="smtpd",process="1"\} 0$/m,
  );
  assert.match(
    text!,
    /^bulkhead_delivery_delay_seconds_bucket\{le="\+Inf"\} 3$/m,
  );
  assert.match(text!, /^bulkhead_delivery_delay_seconds_count 3$/m);
});

Deno.test("metricsText() shows no name that is no word, whoever counts under it", async () => {
  const text = await metricsText(madeUpServer());
  assert.ok(!text!.includes("evil"));
});

Deno.test("metricsText() is nothing before the supervisor spoke, and no less without the queue", async () => {
  const silent = { ...madeUpServer(), news: () => undefined };
  assert.equal(await metricsText(silent), undefined);
  const text = await metricsText({
    ...madeUpServer(),
    facts: () => undefined,
    counts: () => Promise.resolve(undefined),
  });
  assert.match(text!, /bulkhead_role_up/);
  assert.ok(!text!.includes("bulkhead_queue_recipients"));
});

const TOKEN = "0123456789abcdef";
const ACCESS: {
  name: string;
  isOpen: boolean;
  token: string;
  shown: string | undefined;
  status: number;
}[] = [
  {
    name: "on the loopback",
    isOpen: true,
    token: "",
    shown: undefined,
    status: 200,
  },
  {
    name: "elsewhere",
    isOpen: false,
    token: "",
    shown: undefined,
    status: 404,
  },
  {
    name: "with the token",
    isOpen: false,
    token: TOKEN,
    shown: `Bearer ${TOKEN}`,
    status: 200,
  },
  {
    name: "on the loopback with a token that is not shown",
    isOpen: true,
    token: TOKEN,
    shown: undefined,
    status: 401,
  },
  {
    name: "with another token",
    isOpen: false,
    token: TOKEN,
    shown: "Bearer 0123456789abcdeF",
    status: 401,
  },
  {
    name: "with a longer token",
    isOpen: false,
    token: TOKEN,
    shown: `Bearer ${TOKEN}0`,
    status: 401,
  },
  {
    name: "with the token as a password",
    isOpen: false,
    token: TOKEN,
    shown: `Basic ${TOKEN}`,
    status: 401,
  },
];

for (const { name, isOpen, token, shown, status } of ACCESS) {
  Deno.test(`answerMetrics() answers ${status} ${name}`, async () => {
    const access = { isOpen, token };
    const answer = await answerMetrics(madeUpServer(), access, shown);
    assert.equal(answer.status, status);
    assert.equal(answer.body.includes("bulkhead_"), status === 200);
  });
}

Deno.test("consoleApp answers /metrics without a sign-in where it is open", async () => {
  const closed = await new Lab().ask("/metrics");
  assert.equal(closed.status, 404);
  const lab = new Lab({ metrics: () => ({ isOpen: true, token: "" }) });
  const answer = await lab.ask("/metrics");
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type")!, /^text\/plain; version=0/);
  assert.match(await answer.text(), /bulkhead_role_restarts_total.* 2\n/);
});

Deno.test("metrics are of counters that roles have", () => {
  const root = new URL("../mod/", import.meta.url).pathname;
  for (const { name, feeds } of FED) {
    for (const { roles, counter } of feeds) {
      const found = roles.some((role) => {
        const folder = role === "submission" ? "smtpd" : role;
        if (role === "console") return true;
        return isCounted(`${root}${folder}`, counter);
      });
      assert.ok(found, `${name}: nobody counts ${counter}`);
    }
  }
});

/**
 * True if a file there counts so: the whole name, or its first word where the
 * rest is put in (`recipients-${why}`).
 */
function isCounted(dir: string, counter: string): boolean {
  const word = counter.split("-")[0]!;
  const forms = [
    `"${counter}"`,
    `\`${word}-\${`,
    `-${counter.split("-").at(-1)}\``,
  ];
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    if (isDirectory || !name.endsWith(".ts") || name.includes("_test")) {
      continue;
    }
    const text = Deno.readTextFileSync(`${dir}/${name}`);
    if (forms.some((form) => text.includes(form))) return true;
  }
  // The kinds of an outcome are counted as they are.
  return /^(delivered|temporary|permanent|deferred|failed)$/.test(counter) ||
    counter.endsWith("-");
}

Deno.test("docs/metrics.md is what the table says: deno run -A scripts/metrics_doc.ts", async () => {
  assert.equal(
    Deno.readTextFileSync(METRICS_PAGE),
    await formatted(metricsPage()),
  );
});

Deno.test("madeUpSources is enough for the metrics", async () => {
  assert.ok(await metricsText(madeUpSources()));
});
