// Option schemas: the value types in which a balancer, checker or policy declares its options. The configuration passes
// the implementation in, so that worker threads, which only build from compiled settings, never load zod (50 ms and
// 4 MB in each thread). Thread: both.

import type { z } from 'zod';

/** Options by name, as `z.strictObject` takes them. */
export type OptionShape = Readonly<Record<string, z.ZodType>>;

/** Options of a shape after validation, with every default filled in. */
export type OptionsOf<Shape extends OptionShape> = z.output<z.ZodObject<Shape>>;

/** A parsed text, or a sentence that names the mistake and what is allowed. */
export type ParsedOption<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string | undefined };

/** How error messages and the reference page describe a value. */
export interface OptionMeta {
  /** Follows "takes" in messages and fills the type column of the reference. */
  readonly expects?: string;
  /** A value as it is written in YAML. */
  readonly example?: string;
}

/** The value types. Every option should have a `.describe(...)`; it becomes the text of the reference page. */
export interface OptionSchemas {
  /** zod itself, for everything that the other members don't cover. */
  readonly z: typeof z;
  /** `500ms`, `2s`, `5m`; milliseconds. With `orNone` also `none`, which is 0. */
  readonly duration: (options?: { readonly orNone?: boolean }) => z.ZodType<number, string>;
  /** `64KiB`, `1MiB`; bytes, between two sizes written in the same way. */
  readonly size: (least: string, most: string, options?: { readonly orNone?: boolean }) => z.ZodType<number, string>;
  /** `30%`; percent from 0 to 100. */
  readonly percent: (example: string) => z.ZodType<number, string>;
  /** A whole number in a closed range. */
  readonly count: (min: number, max: number) => z.ZodType<number, number>;
  /** A number in a closed range. */
  readonly factor: (min: number, max: number, example: string) => z.ZodType<number, number>;
  /** A text that `parse` turns into a value; its message is reported with the place in the file. */
  readonly text: <Value>(parse: (text: string) => ParsedOption<Value>, meta: OptionMeta) => z.ZodType<Value, string>;
}
