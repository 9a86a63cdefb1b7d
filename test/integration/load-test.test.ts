// `npm run load`, in short: one application server is killed halfway, and no request fails. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { shortOrLong } from '../support/test-length.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/load-test.ts');

test('an application server dies under autocannon and returns: no request fails', async (t) => {
  const run = spawn(process.execPath, [SCRIPT, '--seconds', String(shortOrLong(3, 15)), '--connections', '20'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(run, 'close')) as [number | null];
  t.diagnostic(/requests .*/.exec(output)?.[0] ?? 'no report');
  assert.equal(code, 0, output);
  assert.match(output, /failed {4}0 /);
});
