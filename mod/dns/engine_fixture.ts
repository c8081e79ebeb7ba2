/** An engine for tests: a part of the configuration with little said. */
import { type Engine, engineOf, type EngineOptions } from "./engine.ts";
import { Exchanger } from "./exchange_io.ts";
import type { DnsPart } from "./role.ts";
import { validator } from "./validate.ts";

/** What dns is told, unless a test says otherwise: one forwarder, unvalidated. */
export function partOf(over: Partial<DnsPart>): DnsPart {
  return {
    nameservers: ["127.0.0.1"],
    port: 53,
    withinMs: 3_000,
    resolve: "forward",
    trustedServers: [],
    validate: false,
    trustAnchors: [],
    unsignedDomains: [],
    rootHints: [],
    minTtlS: 5,
    maxTtlS: 86_400,
    maxNegativeTtlS: 900,
    cacheBytes: 2 ** 20,
    ...over,
  };
}

/** An engine over real sockets. */
export function engine(
  over: Partial<DnsPart>,
  told: Partial<Pick<EngineOptions, "onJudged" | "onStrips">> = {},
): Engine {
  return engineOf({
    part: partOf(over),
    exchanger: new Exchanger(),
    makeValidator: validator,
    onJudged: () => {},
    onStrips: () => {},
    ...told,
  });
}
