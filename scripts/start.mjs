// `npm start`: runs the demo, or with `npm start -- --config FILE` that configuration in the foreground. Plain JavaScript,
// so that a Node without TypeScript support still prints one clear line. Thread: main.

import { fileURLToPath } from 'node:url';
import { tooOldMessage } from './check-node.mjs';

const message = tooOldMessage(process.versions.node);
if (message === undefined) {
  const args = process.argv.slice(2);
  const hasConfig = args.some((arg) => arg === '--config' || arg.startsWith('--config='));
  const program = new URL('../bin/fairlead.ts', import.meta.url);
  process.argv = [process.argv[0], fileURLToPath(program), hasConfig ? 'run' : 'demo', ...args];
  await import(program.href);
} else {
  console.error(message);
  process.exitCode = 2;
}
