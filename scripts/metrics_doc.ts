/**
 * Writes `docs/metrics.md` from the table that `/metrics` is made from.
 * A test says when it is behind.
 */
import { formatted } from "./formatted.ts";
import { FAMILIES, labelNames } from "../web/metrics.ts";

/** Where the page lies. */
export const METRICS_PAGE = new URL("../docs/metrics.md", import.meta.url);

const HEAD = `# Metrics

The console answers \`/metrics\` in Prometheus' text format (0.0.4). There are
totals in it and no address, domain or name that a client chose.

Who may read it:

- On a console of a loopback address, as it is without configuration, everybody
  on this machine: no sign-in. Not so where \`console.hosts\` names a proxy's
  hosts, for then others than this machine may come.
- With \`metrics.token\`, whoever sends it (\`Authorization: Bearer TOKEN\`), and
  nobody else, on the loopback neither.
- Else nobody: there is no such page.

\`\`\`yaml
scrape_configs:
  - job_name: bulkhead
    static_configs: [{ targets: ["127.0.0.1:2528"] }]
    # authorization: { credentials_file: /etc/prometheus/bulkhead.token }
\`\`\`

Counters are since the start of the process that counts, whose \`role\` and
\`process\` are labels: a role that is started again begins at 0, which
\`rate()\` understands. They are some seconds old at most.
`;

/** The page. */
export function metricsPage(): string {
  const rows = FAMILIES.map((family) => {
    const labels = labelNames(family).map((one) => `\`${one}\``).join(", ");
    return `| ${family.name} | ${family.type} | ${labels} | ${family.help} |`;
  });
  return [
    HEAD,
    "| series | kind | labels | tells |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) {
  Deno.writeTextFileSync(METRICS_PAGE, await formatted(metricsPage()));
}
