// Builds the package: `dist/` from the sources (Node refuses TypeScript under node_modules), and the man page. `npm pack`
// runs it.
// Usage: node scripts/build.ts. Exit code 1 when compilation fails. Thread: main.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Files that the program reads beside its modules, and the package.json files that set module types. */
const COPIED = ['bin/**/package.json', 'admin/dashboard/**/*.{html,css,js,svg}'];

rmSync(path.join(ROOT, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(path.join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (tsc.status === 0) {
  for (const file of globSync(COPIED, { cwd: ROOT })) cpSync(path.join(ROOT, file), path.join(ROOT, 'dist', file));
  const pages = spawnSync(process.execPath, [path.join(ROOT, 'scripts/generate-command-pages.ts')], {
    stdio: 'inherit',
  });
  process.exitCode = pages.status ?? 1;
} else process.exitCode = 1;
