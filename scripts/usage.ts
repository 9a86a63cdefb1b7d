// Arguments of scripts: prints the usage for --help, and below the mistake for arguments that a script doesn't have. Thread: main.

import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Of a process that was started with wrong arguments. */
const WRONG_USAGE = 2;

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Own extends Options> = ReturnType<typeof parseArgs<{ options: Own; allowPositionals: boolean }>>;

/**
 * The options and positional arguments of this process; it ends where they are wrong or --help is among them. An option with a
 * number as its default takes numbers.
 * @param mostPositionals that the script takes
 */
export function readArguments<const Own extends Options>(
  usage: string,
  options: Own,
  mostPositionals = 0,
): Parsed<Own> {
  return orUsage(usage, () => {
    const config = {
      options: { ...options, help: { type: 'boolean' } },
      allowPositionals: mostPositionals > 0,
    } as const;
    const { values: given, positionals } = parseArgs(config);
    const values = given as Readonly<Record<string, unknown>>;
    if (values['help'] === true) return null;
    const surplus = positionals[mostPositionals];
    if (surplus !== undefined) throw new Error(`"${surplus}" is one argument too many`);
    for (const [name, { default: usual }] of Object.entries<Options[string]>(options)) {
      const value = values[name];
      if (typeof value !== 'string' || typeof usual !== 'string' || !isNumber(usual) || isNumber(value)) continue;
      throw new Error(`--${name} takes a number, not "${value}"`);
    }
    return { values, positionals } as unknown as Parsed<Own>;
  });
}

/** The result of a reader of arguments, which throws where they are wrong, and returns null for --help: the process ends then. */
export function orUsage<Result>(usage: string, read: () => Result | null): Result {
  let result: Result | null;
  try {
    result = read();
  } catch (error) {
    // Node adds a hint at arguments that begin with a dash, which no script takes.
    console.error(`${(error as Error).message.replace(/\. To specify a positional.*$/s, '')}\n\n${usage}`);
    process.exit(WRONG_USAGE);
  }
  if (result === null) {
    console.log(usage);
    process.exit(0);
  }
  return result;
}

function isNumber(text: string): boolean {
  return /^\d+(?:\.\d+)?$/.test(text);
}
