// Detects a Node that is too old for Fairlead; run as a program it prints one line and exits with 2. Plain JavaScript in
// the syntax of 2020, because an old Node must be able to parse it. Thread: main.

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The oldest supported Node. A test compares it with `engines` in package.json. */
export const OLDEST_NODE = [24, 12];

/**
 * The message for a Node that is too old, or undefined when it is new enough.
 * @param {string} version as in process.versions.node
 * @returns {string | undefined}
 */
export function tooOldMessage(version) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  const wanted = `Fairlead needs Node >= ${OLDEST_NODE.join('.')}, this is v${version}`;
  return `${wanted}; run it through npm (npm start), which uses the Node 26 that npm ci installs`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const message = tooOldMessage(process.versions.node);
  if (message !== undefined) {
    console.error(message);
    process.exitCode = 2;
  }
}
