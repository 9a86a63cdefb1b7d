// Request trailers and TE: trailers were dropped on the general path, and TE on both. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_LENGTH } from '../../core/head.ts';
import { withBench } from '../support/transport-bench.ts';
import { TRANSPORTS } from '../support/transports.ts';

for (const transport of TRANSPORTS) {
  describe(transport.name, () => {
    test('trailers of a request reach the endpoint', () =>
      withBench(transport, {}, async (bench) => {
        const attempt = bench.send({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
        await attempt.saw('body-wanted');
        attempt.handle.sendBody(Buffer.from('abc'));
        attempt.handle.endBody(['X-Sum', '1', 'x-sum', '2']);
        assert.equal((await attempt.done).outcome, 'ok');
        assert.match(bench.origin.requests[0]!.raw.toString('latin1'), /\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n$/);
      }));

    for (const [te, wanted] of [
      ['trailers', ['trailers']],
      ['gzip;q=0.5, Trailers', ['trailers']],
      ['gzip', []],
    ] as const) {
      test(`TE: ${te} is forwarded as ${JSON.stringify(wanted)}, named by Connection`, () =>
        withBench(transport, {}, async (bench) => {
          assert.equal((await bench.send({ fields: ['TE', te] }).done).outcome, 'ok');
          const request = bench.origin.requests[0]!;
          assert.deepEqual(request.values('te'), wanted);
          assert.deepEqual(request.values('connection'), wanted.length > 0 ? ['TE'] : []);
        }));
    }
  });
}
