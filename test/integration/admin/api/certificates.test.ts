// Certificates in the admin API: those in use, those that wait, and an order at once. Thread: main.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AskedServer } from '../asked-server.ts';

let asked: AskedServer;
before(async () => {
  asked = await AskedServer.start();
});
after(() => asked.server.close());

test('list certificates in use with their plan, then names that wait for their first one', async () => {
  const { certificates } = (await asked.ask('GET', '/api/v1/certificates')).json() as { certificates: object[] };
  const [inUse, waiting] = certificates as Record<string, unknown>[];
  assert.equal(certificates.length, 2);
  assert.deepEqual(
    [inUse!['source'], inUse!['state'], inUse!['listener'], inUse!['authority']],
    ['acme', 'in-use', 'web', 'ca.test'],
  );
  assert.match(String(inUse!['nextRenewal']), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    [waiting!['names'], waiting!['state'], waiting!['listener'], waiting!['failures'], waiting!['error']],
    [['new.example.com'], 'waiting', null, 3, 'CA is unreachable'],
  );
});

test('order a certificate now; an unknown name gets those that exist', async () => {
  const order = (name: string) =>
    asked.ask('POST', '/api/v1/certificates', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
  const done = await order('example.com');
  assert.deepEqual([done.status, done.json()], [200, { name: 'example.com', state: 'ordering' }]);
  const unknown = await order('exmple.com');
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /there is no automatic certificate for exmple\.com; did you mean example\.com\?/);
});
