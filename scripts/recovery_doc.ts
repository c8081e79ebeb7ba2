/** Writes the tables of `mod/recovery` into its README.md. */
import { refresh } from "../mod/recovery/render.ts";

const path = new URL("../mod/recovery/README.md", import.meta.url);
Deno.writeTextFileSync(path, refresh(Deno.readTextFileSync(path)));
