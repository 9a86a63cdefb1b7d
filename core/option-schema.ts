// Option schemas: the value types in which a balancer, checker or policy declares its options. The configuration passes
// the implementation in, so that worker threads, which only build from compiled settings, never load zod (50 ms and
// 4 MB in each thread). Thread: both.

import type { z } from 'zod';
import type { TemplateForm } from './template.ts';

/** Options by name, as `z.strictObject` takes them. */
export type OptionShape = Readonly<Record<string, z.ZodType>>;

/** Options of a shape after validation, with every default filled in. */
export type OptionsOf<Shape extends OptionShape> = z.output<z.ZodObject<Shape>>;

/** A parsed text, or a sentence that names the mistake and what is allowed. */
export type ParsedOption<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string | undefined };

/** An option that contradicts another one or the rest of the upstream. */
export interface OptionProblem {
  /**
   * FL3007: an option without a meaning beside another one. FL3008: values that contradict each other. FL9009 and FL9010
   * are warnings: an expectation that can't be met, a regular expression that may take very long. FL9025 warns of a
   * heartbeat in another protocol than requests.
   */
  readonly code: 'FL3007' | 'FL3008' | 'FL9009' | 'FL9010' | 'FL9025';
  readonly message: string;
  /** Below the mapping that holds the options. */
  readonly path: readonly string[];
  /** Whether the key is to blame instead of its value. */
  readonly isKey?: boolean;
}

const SHOWN_CHARACTERS = 60;

/** A text in quotes for messages: control characters escaped, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text);
}

/** How error messages and the reference page describe a value. */
export interface OptionMeta {
  /** Follows "takes" in messages and fills the type column of the reference. */
  readonly expects?: string;
  /** A value as it is written in YAML. */
  readonly example?: string;
  /** Whether messages, logs and `config print` leave it out. */
  readonly isSecret?: boolean;
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
  /** One value or a list of them; a list. */
  readonly oneOrMany: <Item extends z.ZodType>(
    item: Item,
  ) => z.ZodType<z.output<Item>[], z.input<Item> | z.input<Item>[]>;
  /** A name as listeners, routes and upstreams have. */
  readonly name: () => z.ZodType<string, string>;
  /** A token (RFC 9110 section 5.6.2). @param expects its meaning, for messages: 'the name of a cookie' */
  readonly token: (expects: string, example: string) => z.ZodType<string, string>;
  /** The name of a header field. */
  readonly fieldName: () => z.ZodType<string, string>;
  /** The value of a header field. */
  readonly fieldValue: () => z.ZodType<string, string>;
  /** A text with values in braces, whose form is checked; `CompileContext.template` parses it. */
  readonly template: (form: TemplateForm, meta: OptionMeta) => z.ZodType<string, string>;
  /** A text that messages, logs and `config print` leave out. */
  readonly secretText: (example: string) => z.ZodType<string, string>;
  /** The path of a file, relative to the directory of the configuration. */
  readonly filePath: (example: string) => z.ZodType<string, string>;
  /** An address, or a block of addresses. */
  readonly cidr: () => z.ZodType<string, string>;
  /** A host name or address, in lower case. */
  readonly host: () => z.ZodType<string, string>;
  /** A text that `parse` turns into a value; its message is reported with the place in the file. */
  readonly text: <Value>(parse: (text: string) => ParsedOption<Value>, meta: OptionMeta) => z.ZodType<Value, string>;
}
