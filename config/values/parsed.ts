// The outcome of reading a small text of the configuration, such as a duration or an address. Thread: main.

import { type ParsedOption, quoted } from '../../core/option-schema.ts';

/** A value, or a sentence that says what is wrong and what is allowed. */
export type Parsed<Value> = ParsedOption<Value>;

export { quoted };
