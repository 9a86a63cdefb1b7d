// Copies of the files that test configurations refer to: certificates with keys that only the owner can read (git doesn't
// store such permissions, and the configuration warns of world-readable keys), and plugins. Thread: main.

import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve(import.meta.dirname, '../unit/config/certificates');
const PLUGINS = path.resolve(import.meta.dirname, 'plugins');

/** Copies to `DIRECTORY/certificates` and `DIRECTORY/plugins`; removed when the process exits. Returns DIRECTORY. */
export function privateCertificates(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'fairlead-certificates-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(path.join(directory, 'certificates'));
  for (const name of readdirSync(SOURCE)) {
    const copy = path.join(directory, 'certificates', name);
    copyFileSync(path.join(SOURCE, name), copy);
    if (name.endsWith('.key')) chmodSync(copy, 0o600);
  }
  cpSync(PLUGINS, path.join(directory, 'plugins'), { recursive: true });
  writeFileSync(path.join(directory, 'plugins/no-plugin.js'), 'export const nothing = true;\n');
  return directory;
}
