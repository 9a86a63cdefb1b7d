// The script heartbeat: texts to send and regular expressions that the answers must match, in order. Thread: main.

import { type LinearRegex, linearRegex, parseLinearRegex } from '../../core/linear-regex.ts';
import { defineChecker } from './checker.ts';
import { type Dialogue, type DialogueStep, failed, PASSED, runDialogue } from './dialogue-check.ts';

/** One step: exactly one of its keys. */
type ScriptStep = { readonly send: string } | { readonly expect: string };

interface ScriptSettings {
  readonly steps: readonly ScriptStep[];
}

/** Bytes of an answer that an expression is matched against, at most. */
const MAX_MATCHED = 16_384;

/** Compiled once for each expression of a configuration. `^` matches at each line: an answer comes in pieces of any size. */
const regexes = new Map<string, LinearRegex>();
const MAX_KEPT = 256;

export class ScriptDialogue implements Dialogue {
  readonly #steps: readonly ScriptStep[];
  #next = 0;

  constructor({ steps }: ScriptSettings) {
    this.#steps = steps;
  }

  open(): Uint8Array {
    return this.#takeSent();
  }

  receive(bytes: Buffer): DialogueStep | null {
    const step = this.#steps[this.#next]!;
    if (!('expect' in step)) return null;
    const text = bytes.toString('latin1', 0, MAX_MATCHED);
    if (!regexOf(step.expect).test(text)) {
      return bytes.length < MAX_MATCHED ? null : { used: 0, result: failed(`an answer without ${step.expect}`) };
    }
    this.#next++;
    const send = this.#takeSent();
    const isOver = this.#next === this.#steps.length;
    return { used: bytes.length, send, ...(isOver && { result: PASSED }) };
  }

  get atEnd() {
    const step = this.#steps[this.#next];
    return step === undefined ? PASSED : failed(`connection closed before an answer that matches ${expected(step)}`);
  }

  /** The texts that follow without an answer between them. */
  #takeSent(): Uint8Array {
    const texts: Buffer[] = [];
    for (let step = this.#steps[this.#next]; step !== undefined && 'send' in step; step = this.#steps[++this.#next]) {
      texts.push(Buffer.from(step.send, 'latin1'));
    }
    return Buffer.concat(texts);
  }
}

function expected(step: ScriptStep): string {
  return 'expect' in step ? step.expect : '';
}

function regexOf(source: string): LinearRegex {
  let regex = regexes.get(source);
  if (regex === undefined) {
    if (regexes.size >= MAX_KEPT) regexes.clear();
    regexes.set(source, (regex = linearRegex(`(?m)${source}`)));
  }
  return regex;
}

export const script = defineChecker({
  name: 'script',
  options: ({ z, text }) => ({
    steps: z
      .array(
        z
          .union([
            z.strictObject({
              send: z
                .string()
                .min(1)
                .max(4096)
                .refine((given) => Buffer.from(given, 'latin1').toString('latin1') === given, {
                  error: 'characters above U+00FF have no byte of their own',
                })
                .meta({ expects: 'text', example: '"PING\\r\\n"' })
                .describe('Sent as it is, one byte for each character: `"\\r\\n"` and `"\\x00"` in double quotes.'),
            }),
            z.strictObject({
              expect: text(parseLinearRegex, { expects: 'a regular expression', example: "'^\\+PONG'" }).describe(
                'Regular expression that the bytes received since the step before must match; `^` and `$` match at the ends of lines.',
              ),
            }),
          ])
          .meta({ expects: 'a mapping with send or expect', example: '{ expect: "^220 " }' }),
      )
      .min(1)
      .max(32)
      .meta({ expects: 'a list of steps with send or expect', example: '[{ send: "PING\\r\\n" }, { expect: PONG }]' })
      .describe('With `script`: the steps, in order. The last one must be `expect`.')
      .optional(),
  }),
  check: ({ steps }) => {
    if (steps === undefined) {
      return [
        { code: 'FL3007', message: 'type: script needs steps, such as steps: [{ expect: "^220 " }]', path: ['type'] },
      ];
    }
    if ('expect' in steps.at(-1)!) return [];
    return [
      { code: 'FL3008', message: 'the last step must be expect: what is sent last says nothing', path: ['steps'] },
    ];
  },
  compile: ({ steps = [] }): ScriptSettings => ({ steps }),
  run: (target, done) => runDialogue(target, new ScriptDialogue(target.heartbeat), done),
  describe: ({ steps }) => `script of ${steps.length} step${steps.length === 1 ? '' : 's'}`,
  covers: () => true,
});
