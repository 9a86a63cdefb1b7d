// Runs every step of docs/getting-started.md. The installation itself is that of
// test/integration/package/tarball.test.ts. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSteps, stepsOf } from './page-steps.ts';

/** The shell blocks after the installation. */
const STEPS = stepsOf('docs/getting-started.md', '');

test('every step of the page works, and prints what the page says', async (t) => {
  assert.ok(STEPS.length >= 8, `${STEPS.length} steps`);
  // The file that init writes has the port of the admin API.
  const settled = "sed -i 's/990[0]/9900/' fairlead.yaml\n";
  const { code, output, errors, under } = await runSteps(t, {
    ports: ['3001', '3002', '8080', '9900'],
    steps: STEPS,
    change: ({ text }) =>
      text.replace(/^fairlead check/m, `${settled}fairlead check`).replace('--retry 20', '--retry 80'),
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  assert.match(under('Install'), /^\d+\.\d+\.\d+/);
  assert.match(under('The first requests'), /fairlead\.yaml: ok/);
  assert.match(under('The first requests'), /app \(least-request\) +2\/2 up/);
  const dead = under('A server dies');
  assert.equal(dead.match(/^hello from 3002$/gm)?.length, 6, dead);
  assert.match(dead, /3001 +down .*refused/);
  assert.match(dead, /app \(least-request\) +2\/2 up/);
  assert.match(under('Take a server out of service'), /has nothing in flight\nhello from 3001/);
  assert.match(under('Change the configuration'), /weight/);
});
