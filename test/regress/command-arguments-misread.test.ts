// Arguments that commands misread: `explain /app` took the path for a host, `weight X 0` printed words of the schema
// library, and `run FILE` ignored the file. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFile, runCommand } from '../support/fairlead-process.ts';

test('explain asks for a host where it gets a path', async () => {
  const { code, stderr } = await runCommand(['explain', '/app']);
  assert.equal(code, 2);
  assert.match(stderr, /"\/app" is a path: add scheme and host, for example http:\/\/localhost\/app/);
});

for (const [text, advice] of [
  ['0', /to stop requests: fairlead drain app\/127\.0\.0\.1:3000/],
  ['257', /not a weight from 1 to 256; configured restores/],
  ['1.5', /not a weight from 1 to 256/],
] as const) {
  test(`a weight of ${text} is refused with advice, before anything is sent`, async () => {
    const { code, stderr } = await runCommand(['weight', 'app/127.0.0.1:3000', text]);
    assert.equal(code, 2);
    assert.match(stderr, advice);
  });
}

test('run takes the file as check does', async (t) => {
  const { file } = configFile(t, 'workers: 0\n');
  const { code, stderr } = await runCommand(['run', file]);
  assert.equal(code, 1);
  assert.match(stderr, /"workers" must be auto or a whole number/);
});
