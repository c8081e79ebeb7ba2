/**
 * The parts of zod that we use, by name. `import { z } from "zod"` would put
 * every locale of its messages into every role: two thirds of a role's code.
 */
export {
  array,
  boolean,
  enum,
  literal,
  null,
  number,
  record,
  strictObject,
  string,
  union,
  unknown,
} from "zod";
export type {
  infer,
  input,
  output,
  ZodNumber,
  ZodRawShape,
  ZodString,
  ZodType,
} from "zod";
