/** Warnings about ways out that are good to read, and lead nowhere here. */
import { hostPortText } from "../config/names.ts";
import type { Config } from "../config/settings.ts";

type Ways = Pick<Config, "outbound" | "destinations" | "routes">;

/** What this machine has. */
export interface Machine {
  /** True if a connection can begin at this address. */
  hasAddress(address: string): boolean;
  /** True if a Unix socket lies there. */
  hasSocket(path: string): boolean;
}

/**
 * The warnings. They are no faults: an address may come later, and so may the
 * server behind a socket; until then the mail waits.
 */
export function wayDoubts(config: Ways, machine: Machine): string[] {
  const { outbound, destinations, routes } = config;
  const sources = [
    ...outbound.source.map((one) => ["outbound.source", one] as const),
    ...destinations.flatMap(({ name, source }) =>
      (source ?? []).map((one) =>
        [`destinations."${name}" source`, one] as const
      )
    ),
  ];
  return [
    ...sources.filter(([, one]) => !machine.hasAddress(one)).map((
      [where, one],
    ) =>
      `${where}: ${one} is not an address of this machine: what is to leave ` +
      "from there waits"
    ),
    ...routes.flatMap(({ domain, nextHop }) =>
      nextHop.kind === "unix" && !machine.hasSocket(nextHop.path)
        ? [
          `routes."${domain}": there is no Unix socket ${nextHop.path}: its ` +
          "mail waits",
        ]
        : []
    ),
    ...destinations.flatMap(({ name }) => {
      const hop = routes.find(({ domain }) => domain === name)?.nextHop;
      if (hop?.kind !== "host") return [];
      const next = hostPortText({
        host: hop.host.startsWith("[") ? hop.host.slice(1, -1) : hop.host,
        port: hop.port,
      });
      return destinations.some((one) => one.name === next) ? [] : [
        `destinations."${name}" says nothing about mail for ${name}: its ` +
        `route leads to "${next}", which has settings under that name`,
      ];
    }),
  ].slice(0, 20);
}

/** This machine. Asks the kernel, by taking a port that nobody asked for. */
export const THIS_MACHINE: Machine = {
  hasAddress(address) {
    try {
      Deno.listen({ hostname: address, port: 0 }).close();
      return true;
    } catch {
      return false;
    }
  },
  hasSocket(path) {
    try {
      return Deno.statSync(path).isSocket === true;
    } catch {
      return false;
    }
  },
};
