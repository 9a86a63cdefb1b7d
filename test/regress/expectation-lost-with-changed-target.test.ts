// A request whose path was normalized lost its expectation: the endpoint sent no 100, and the client waited for one.
// Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ForwardingBench } from '../support/forwarding.ts';
import { requestHead } from '../support/request-head.ts';
import { snapshot } from '../support/snapshots.ts';

describe('Expect: 100-continue is forwarded', () => {
  for (const target of ['/a/b', '/a//b', '/a/%2e/b', '/a/../b']) {
    test(`for ${target}`, () => {
      const bench = new ForwardingBench(snapshot());
      const head = requestHead({ target, method: 'POST', bodyLength: 3, fields: ['Expect', '100-continue'] });
      bench.requestWith(Object.assign(head, { expectsContinue: true }));
      assert.equal(bench.last.request.head.expectsContinue, true);
    });
  }
});
