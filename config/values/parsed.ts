// Result of parsing a value of the configuration, such as a duration or an address. Thread: main.

import { type ParsedOption, quoted } from '../../core/option-schema.ts';

/** A value, or a sentence that states the error and the allowed forms. */
export type Parsed<Value> = ParsedOption<Value>;

export { quoted };
