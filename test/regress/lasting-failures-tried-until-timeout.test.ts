// A request to an endpoint with a wrong certificate or protocol was tried every 50 ms until the queue timeout, and held up all
// others. What no repetition removes is tried as often as other retries; restarts are waited for as ever. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Failure, failureOf } from '../../core/failure.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { EndpointError } from '../../net/endpoint-error.ts';
import { failureOfDial } from '../../net/failure-of-error.ts';
import { ForwardingBench } from '../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../support/snapshots.ts';

function tlsFailure(code: string): Failure {
  return failureOfDial(new EndpointError('tls-failed', code, Object.assign(new Error(code), { code })));
}

const UNFIT = tlsFailure('ERR_TLS_CERT_ALTNAME_INVALID');
const REFUSED = failureOf('connect-refused', false);

/** By slot, the failure of every attempt there. */
type Script = readonly Failure[];

interface Case {
  readonly script: Script;
  readonly whenAllDown: UpstreamSnapshot['whenAllDown'];
  readonly retries: number;
  /** Attempts by slot, after `AFTER_MS`. */
  readonly attempts: readonly (number | 'many')[];
  /** Status of the reply; null while the request waits. */
  readonly status: number | null;
}

const AFTER_MS = 2000;

const CASES: Readonly<Record<string, Case>> = {
  'the only endpoint has a wrong certificate': {
    script: [UNFIT],
    whenAllDown: 'wait',
    retries: 1,
    attempts: [2],
    status: 502,
  },
  'the same without retries': { script: [UNFIT], whenAllDown: 'wait', retries: 0, attempts: [1], status: 502 },
  'the same with three retries': { script: [UNFIT], whenAllDown: 'wait', retries: 3, attempts: [4], status: 502 },
  'the same without waiting': { script: [UNFIT], whenAllDown: 'fail', retries: 1, attempts: [2], status: 502 },
  'the only endpoint refuses connections': {
    script: [REFUSED],
    whenAllDown: 'wait',
    retries: 1,
    attempts: ['many'],
    status: null,
  },
  'one has a wrong certificate, and the other restarts': {
    script: [UNFIT, REFUSED],
    whenAllDown: 'wait',
    retries: 1,
    attempts: [1, 'many'],
    status: null,
  },
  'both have wrong certificates': {
    script: [UNFIT, UNFIT],
    whenAllDown: 'wait',
    retries: 1,
    attempts: [1, 1],
    status: 502,
  },
};

function count(bench: ForwardingBench, slot: number): number {
  return bench.attempts.filter((attempt) => attempt.slot === slot).length;
}

/** Fails every attempt by the script, as time passes. */
function play(bench: ForwardingBench, script: Script): void {
  let failed = 0;
  for (let passedMs = 0; passedMs < AFTER_MS; passedMs += 10) {
    for (; failed < bench.attempts.length; failed += 1) {
      const { slot, events } = bench.attempts[failed]!;
      events.onFailure(script[slot]!);
    }
    bench.advance(10);
  }
}

describe('a failure that no repetition removes', () => {
  for (const [name, { script, whenAllDown, retries, attempts, status }] of Object.entries(CASES)) {
    test(`${name}: ${attempts.join(' and ')} attempts`, () => {
      const base = upstreamSnapshot({});
      const endpoints = script.map((_, slot) => endpointSnapshot(slot));
      const upstream = upstreamSnapshot({
        whenAllDown,
        endpoints,
        retry: { ...base.retry, attempts: retries },
        timeouts: { ...base.timeouts, queueMs: 30_000, responseMs: 0 },
      });
      const bench = new ForwardingBench(snapshot({ upstreams: [upstream] }));
      const client = bench.request();
      play(bench, script);
      attempts.forEach((expected, slot) => {
        if (expected === 'many') assert.ok(count(bench, slot) > 10, `slot ${slot}: ${count(bench, slot)} attempts`);
        else assert.equal(count(bench, slot), expected, `slot ${slot}`);
      });
      assert.equal(client.reply?.status ?? null, status);
    });
  }

  test('holds up no other request of its upstream', () => {
    const upstream = upstreamSnapshot({ whenAllDown: 'wait', endpoints: [endpointSnapshot(0)] });
    const bench = new ForwardingBench(snapshot({ upstreams: [upstream] }));
    bench.request();
    bench.last.events.onFailure(UNFIT);
    bench.request();
    assert.equal(bench.attempts.length, 2, 'the second request was sent at once');
  });
});

const CODES: Readonly<Record<string, boolean>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: true,
  CERT_HAS_EXPIRED: true,
  DEPTH_ZERO_SELF_SIGNED_CERT: true,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: true,
  ERR_SSL_WRONG_VERSION_NUMBER: true,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: true,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: true,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: true,
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: false,
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: false,
  ECONNRESET: false,
  EPIPE: false,
  '': false,
};

describe('a failed handshake', () => {
  for (const [code, isLasting] of Object.entries(CODES)) {
    test(`${code || 'without a code'} is ${isLasting ? '' : 'not '}lasting`, () =>
      assert.equal(tlsFailure(code).isLasting, isLasting));
  }

  test('is not lasting where TCP already failed', () => {
    const refused = new EndpointError('connect-refused', 'x', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    assert.equal(failureOfDial(refused).isLasting, false);
  });
});
