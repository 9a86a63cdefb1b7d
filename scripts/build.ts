// Builds the package: `dist/` from the sources (Node refuses TypeScript under node_modules), and the man page. `npm pack`
// runs it.
// Usage: node scripts/build.ts. Exit code 1 when compilation fails. Thread: main.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { browserModule } from '../admin/api/page-module.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Files that the program reads beside its modules, and the package.json files that set module types. */
const COPIED = ['bin/**/package.json', 'admin/dashboard/**/*.{html,css,svg}'];
/** Modules of the dashboard, compiled one by one. */
const PAGE_MODULES = 'admin/dashboard/**/*.ts';

rmSync(path.join(ROOT, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(path.join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (tsc.status === 0) {
  for (const file of globSync(COPIED, { cwd: ROOT })) cpSync(path.join(ROOT, file), path.join(ROOT, 'dist', file));
  for (const file of globSync(PAGE_MODULES, { cwd: ROOT })) if (!file.endsWith('.d.ts')) buildPageModule(file);
  const pages = spawnSync(process.execPath, [path.join(ROOT, 'scripts/generate-command-pages.ts')], {
    stdio: 'inherit',
  });
  process.exitCode = pages.status ?? 1;
} else process.exitCode = 1;

function buildPageModule(file: string): void {
  const to = path.join(ROOT, 'dist', file.replace(/\.ts$/, '.js'));
  mkdirSync(path.dirname(to), { recursive: true });
  writeFileSync(to, browserModule(readFileSync(path.join(ROOT, file), 'utf8')));
}
