// A Vite dev server behind Fairlead: Chromium opens a page, a module is changed, and the page shows the change without being
// loaded again. The package is installed for the run. Thread: main.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { freePort } from '../peers/free-port.ts';
import { startBehindPolicies } from './behind-policies.ts';

const WAIT_MS = 30_000;
const PAGE = '<!doctype html><meta charset="utf-8"><p id="text"></p><script type="module" src="/main.js"></script>';
const MAIN = `import { text } from './text.js';
const show = (value) => { document.getElementById('text').textContent = value; };
show(text);
window.loadedAt ??= performance.timeOrigin;
import.meta.hot.accept('./text.js', (module) => show(module.text));
`;

/** The part of the package that is used. */
interface Vite {
  createServer(options: object): Promise<{ listen(): Promise<unknown>; close(): Promise<void> }>;
}

/** @param folder with node_modules that has vite */
export async function viteWithHmr(folder: string, browser: Browser): Promise<string> {
  const root = join(folder, 'site');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'index.html'), PAGE);
  await writeFile(join(root, 'main.js'), MAIN);
  await writeFile(join(root, 'text.js'), "export const text = 'before';\n");
  const entry = createRequire(join(folder, 'index.js')).resolve('vite');
  const vite = (await import(pathToFileURL(entry).href)) as Vite;
  const port = await freePort();
  const server = await vite.createServer({
    root,
    configFile: false,
    logLevel: 'warn',
    server: { host: '127.0.0.1', port },
  });
  await server.listen();
  const fairlead = await startBehindPolicies([port]);
  const page = await browser.newPage();
  try {
    await page.goto(fairlead.url, { timeout: WAIT_MS });
    const text = page.locator('#text');
    await text.filter({ hasText: 'before' }).waitFor({ timeout: WAIT_MS });
    const loadedAt = await page.evaluate('window.loadedAt');
    await writeFile(join(root, 'text.js'), "export const text = 'after';\n");
    await text.filter({ hasText: 'after' }).waitFor({ timeout: WAIT_MS });
    assert.equal(await page.evaluate('performance.timeOrigin'), loadedAt, 'the page was loaded again');
    return 'a changed module is shown without loading the page again';
  } finally {
    await page.close();
    await fairlead.stop();
    await server.close();
  }
}
