// The load test as a user runs it, for fifteen seconds: one app server is killed in the middle, and no request fails.
// Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

const SCRIPT = join(import.meta.dirname, '../../scripts/load-test.ts');

test('an app server dies under autocannon and comes back: no failed request', async (t) => {
  const run = spawn(process.execPath, [SCRIPT, '--seconds', '15', '--connections', '20'], {
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
