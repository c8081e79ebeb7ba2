/** What the routes know of a request beside its line and headers. */
import type { Context, Hono } from "hono";

/** For hono's types. */
export type ConsoleEnv = {
  Bindings: {
    /** Who asks, as an address. */
    readonly client?: string;
  };
  Variables: {
    /** What was posted; read and bounded before any route. */
    fields: ReadonlyMap<string, string>;
  };
};

/** A request on its way through the routes. */
export type ConsoleContext = Context<ConsoleEnv>;

/** The routes. */
export type ConsoleApp = Hono<ConsoleEnv>;
