// Turns a TypeScript module of the dashboard into the JavaScript that browsers run. A built package contains the result.
// Thread: main.

import { stripTypeScriptTypes } from 'node:module';

/** Specifier of a relative import or of a re-export. */
const SPECIFIER = /(\bfrom\s*|\bimport\s*)'(\.[^']*)\.ts'/g;

/** @throws SyntaxError for syntax that isn't erasable */
export function browserModule(text: string): string {
  return withoutWarning(() => stripTypeScriptTypes(text)).replaceAll(SPECIFIER, "$1'$2.js'");
}

/** uPlot's compressed build, which defines a variable, as a module: half the size of the package's own module. */
export function uplotModule(text: string): string {
  return `${text}\nexport default uPlot;\n`;
}

/** Node warns about the function once per process; a process in a checkout must not print that among its own logs. */
function withoutWarning<Result>(work: () => Result): Result {
  const kept = Object.getOwnPropertyDescriptor(process, 'emitWarning')!;
  process.emitWarning = () => undefined;
  try {
    return work();
  } finally {
    Object.defineProperty(process, 'emitWarning', kept);
  }
}
