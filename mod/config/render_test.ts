import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { loadConfig } from "./load.ts";
import { tomlKey, tomlValue, wrap } from "./print.ts";
import { type ConfigValues, renderConfig } from "./render.ts";

const VALUES: ConfigValues = {
  server: {
    hostname: "mx.home.test",
    local_domains: ["home.test"],
    postmaster: "me@home.test",
  },
  smtp: { listen: ["127.0.0.1:2525"] },
  aliases: new Map([["sales@home.test", ["me", "x@remote.test"]]]),
  routes: new Map([
    ["remote.test", "127.0.0.1:2600"],
    ["*", "mx"],
  ]),
  console: { listen: "127.0.0.1:2528" },
  roles: { uid_base: 70_000 },
};

Deno.test("renderConfig() writes what loadConfig() reads back", () => {
  const loaded = loadConfig(renderConfig(VALUES), "/srv/bulkhead.toml");
  ok(loaded.ok, JSON.stringify(loaded));
  const { server, smtp, aliases, routes, roles } = loaded.config;
  strictEqual(server.hostname, "mx.home.test");
  deepStrictEqual(smtp.listen, [{ host: "127.0.0.1", port: 2525 }]);
  deepStrictEqual(aliases[0]!.targets, ["me", "x@remote.test"]);
  deepStrictEqual(routes.map(({ domain }) => domain), ["remote.test", "*"]);
  strictEqual(roles.uid_base, 70_000);
});

Deno.test("renderConfig() offers as comments what loadConfig() takes", () => {
  const text = renderConfig(VALUES);
  // Every line of the form `#key = value` is a suggestion: taken one by one.
  const offers = text.split("\n").filter((line) =>
    /^#["a-z][^ ]* = /.test(line)
  );
  ok(offers.length >= 6, text);
  for (const offer of offers) {
    const alone = text.replace(offer, offer.slice(1));
    const loaded = loadConfig(alone, "/srv/bulkhead.toml");
    const why = loaded.ok ? "" : loaded.faults[0]!.message;
    // A certificate wants its mode beside it; that is said next to it.
    ok(loaded.ok || /tls\.mode/.test(why), `${offer}: ${why}`);
  }
});

Deno.test("renderConfig() puts each setting under its sentence, within 80 columns", () => {
  const text = renderConfig(VALUES);
  match(text, /\n\[smtp\]\n# Where it listens\. .*\nlisten = \["127/);
  match(text, /\n#max_message_size = "50MB"\n/);
  for (const line of text.split("\n")) ok(line.length <= 80, line);
});

Deno.test("renderConfig() lets no value break out of its line", () => {
  const evil = 'x"\n[smtp]\nhop_limit = 99\n#\\';
  const text = renderConfig({
    ...VALUES,
    server: { ...VALUES.server, hostname: evil },
    routes: new Map([[evil, evil]]),
  });
  const loaded = loadConfig(text, "/srv/bulkhead.toml");
  ok(!loaded.ok);
  ok(loaded.faults.some(({ key }) => key === "server.hostname"));
  ok(loaded.faults.every(({ key }) => !key.startsWith("smtp")));
});

Deno.test("tomlKey() and tomlValue() quote what needs it", () => {
  strictEqual(tomlKey("a-b_1"), "a-b_1");
  strictEqual(tomlKey("a.b"), '"a.b"');
  strictEqual(tomlValue("\x7f\u00e9"), '"\\u007fé"');
  strictEqual(tomlValue(["a", "b"]), '["a", "b"]');
  strictEqual(tomlValue(false), "false");
});

Deno.test("wrap() breaks lines, but no code", () => {
  strictEqual(wrap("word ".repeat(16).trim() + " more").split("\n").length, 2);
  const code = "`" + "a b ".repeat(18).trim() + "`";
  strictEqual(wrap(`some words before it ${code}`).split("\n")[1], code);
});
