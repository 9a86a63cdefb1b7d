// Prepared listeners: bound before their Snapshot is applied, served after it, or discarded. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { ListenError } from '../../../../proxy/downstream/accept/listen-address.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { GET, onPort, withWorkers } from './listener-bench.ts';

describe('preparing listeners', () => {
  for (const isFast of [false, true]) {
    for (const tls of [
      null,
      { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: false } as const,
    ]) {
      const how = `${isFast ? 'fast' : 'general'} path, ${tls === null ? 'TCP' : 'TLS'}`;
      test(`a connection that arrives before apply is served after it (${how})`, () =>
        withWorkers(
          1,
          async ([worker], starter) => {
            const [bound] = await worker!.prepare([onPort(0, { tls })]);
            const opening = RawClient.connect({ port: bound!.port, ...(tls === null ? {} : { tls: {} }) });
            if (tls === null) (await opening).send(GET);
            // The kernel and the event loop have handed the connection over by then.
            await new Promise((resolve) => setTimeout(resolve, 50));
            assert.equal(starter.begun, 0);
            await worker!.apply([onPort(bound!.port, { tls })]);
            const client = await opening;
            if (tls !== null) client.send(GET);
            (await starter.next()).answer('here');
            assert.equal((await client.readResponse()).body, 'here');
            client.destroy();
          },
          isFast,
        ));
    }
  }

  test('discarding them closes their sockets and connections', () =>
    withWorkers(1, async ([worker]) => {
      const [bound] = await worker!.prepare([onPort(0)]);
      const client = await RawClient.connect({ port: bound!.port });
      await worker!.discard();
      await client.whenEnded();
      await assert.rejects(RawClient.connect({ port: bound!.port }), { code: 'ECONNREFUSED' });
    }));

  test('one that cannot be bound leaves none of the others bound', () =>
    withWorkers(1, async ([worker]) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      const free = (probe.address() as AddressInfo).port;
      await new Promise((resolve) => probe.close(resolve));
      await assert.rejects(worker!.prepare([onPort(free), onPort(port, { name: 'taken' })]), ListenError);
      await assert.rejects(RawClient.connect({ port: free }), { code: 'ECONNREFUSED' });
      other.close();
    }));
});
