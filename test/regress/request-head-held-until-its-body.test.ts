// On the general path a head reached its endpoint with the first byte of the body only: an endpoint could not refuse an
// upload early, and an empty chunked body became Content-Length: 0. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_LENGTH } from '../../core/head.ts';
import { bodyRead, hang, send } from '../support/scripted-origin.ts';
import { withBench } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

for (const transport of TRANSPORTS) {
  describe(transport.name, () => {
    for (const [name, bodyLength] of [
      ['known', 5],
      ['unknown', UNKNOWN_LENGTH],
    ] as const) {
      test(`a head with a body of ${name} length is sent before the body`, () =>
        withBench(transport, {}, async (bench) => {
          bench.origin.play(send('HTTP/1.1 100 Continue\r\n\r\n'), bodyRead(), send('HTTP/1.1 204 No\r\n\r\n'));
          const attempt = bench.send({ method: 'PUT', bodyLength });
          await attempt.saw('interim');
          assert.equal(attempt.interims[0]!.status, 100);
          attempt.handle.sendBody(Buffer.from('hello'));
          attempt.handle.endBody(null);
          assert.equal((await attempt.done).outcome, 'ok');
          assert.equal(bench.origin.requests[0]!.body.toString(), 'hello');
        }));

      test(`a refusal of a head with a body of ${name} length comes before the body, and the connection closes`, () =>
        withBench(transport, {}, async (bench) => {
          bench.origin.play(send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'), hang());
          const attempt = await bench.send({ method: 'PUT', bodyLength }).done;
          assert.deepEqual([attempt.outcome, attempt.head!.status, attempt.body], ['ok', 413, 'no']);
          await (await bench.origin.connection(0)).gone;
        }));
    }

    test('an empty body of unknown length stays chunked', () =>
      withBench(transport, {}, async (bench) => {
        for (const method of ['POST', 'GET']) {
          await bench.sendWithBody('', { method, bodyLength: UNKNOWN_LENGTH }).done;
          const request = bench.origin.requests.at(-1)!;
          assert.deepEqual(request.values('transfer-encoding'), ['chunked']);
          assert.deepEqual(request.values('content-length'), []);
          assert.ok(request.raw.toString('latin1').endsWith('\r\n\r\n0\r\n\r\n'));
          await bench.idled();
        }
        assert.equal(bench.origin.connections.length, 1);
      }));
  });
}
