// The certificates of the tests in a directory of their own, with keys that only the owner can read: git keeps no such
// permissions, and the configuration warns of keys that everybody can read. Thread: main.

import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve(import.meta.dirname, '../unit/config/certificates');

/** Copies to `DIRECTORY/certificates` of a new directory, which goes with the process. Returns that directory. */
export function privateCertificates(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'fairlead-certificates-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(path.join(directory, 'certificates'));
  for (const name of readdirSync(SOURCE)) {
    const copy = path.join(directory, 'certificates', name);
    copyFileSync(path.join(SOURCE, name), copy);
    if (name.endsWith('.key')) chmodSync(copy, 0o600);
  }
  return directory;
}
