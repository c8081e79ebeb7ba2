/** The text of the one script, as browsers get it; see `client.ts`. */
import { client } from "./client.ts";

/** See the file's head. */
export const SCRIPT = `"use strict";(${client.toString()})();\n`;
