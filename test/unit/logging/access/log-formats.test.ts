// Golden lines of every access-log format, and what hostile clients can't do to them. Thread: both.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { ExchangeRecord } from '../../../../core/exchange-record.ts';
import { CHUNK_BYTES } from '../../../../logging/destination/log-chunk.ts';
import { FORMATS } from '../../../support/log-formats.ts';
import { requestHead } from '../../../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';
import { connectionOf, phasesOf, recordOf, USER_AGENT } from './sample-record.ts';

const NAMES = Object.keys(FORMATS) as (keyof typeof FORMATS)[];

/** A request that was refused before it became an exchange. */
const BAD_REQUEST: Partial<ExchangeRecord> = {
  head: null,
  requestId: '',
  routeName: '',
  upstream: null,
  endpoint: null,
  status: 400,
  bytesSent: 0,
  termination: 'badRequest',
  attempts: 0,
  phases: phasesOf({ requestMs: -1, queueMs: -1, connectMs: -1, responseMs: -1, totalMs: 0.0004 }),
};

const TROUBLED: Partial<ExchangeRecord> = {
  connection: connectionOf({ isTls: true, listenerName: 'web-tls', peerAddress: '::1' }),
  clientAddress: '2001:db8::7',
  head: requestHead({ method: 'POST', target: '/pay', version: '2.0', authority: 'api.example.com' }),
  endpoint: endpointSnapshot(1, { id: '/run/app.sock' }),
  status: 0,
  bytesReceived: 17,
  bytesSent: 0,
  termination: 'clientGoneHead',
  attempts: 3,
  wasRedispatched: true,
  retryVerdict: 'refused-attempts',
  failureKind: 'connect-refused',
  phases: phasesOf({ requestMs: 0.1254, queueMs: 1.5, connectMs: 2, responseMs: -1, totalMs: 12.0996 }),
};

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

describe('the HAProxy format', () => {
  const { haproxy } = FORMATS;

  test('writes all fields in the order of option httplog', () => {
    assert.equal(
      haproxy(recordOf()),
      '10.0.1.2:33317 [06/Feb/2009:13:14:14.655] web api/127.0.0.1:3000 10/0/30/69/109 200 2750 - - ---- ' +
        '5/4/3/2/0 0/1 "GET /index.html?page=2 HTTP/1.1"\n',
    );
  });

  test('marks TLS, a redispatch, phases that were not reached and a status that was not sent', () => {
    assert.equal(
      haproxy(recordOf(TROUBLED)),
      '2001:db8::7:33317 [06/Feb/2009:13:14:14.655] web-tls~ api//run/app.sock 0/2/2/-1/12 -1 0 - - CH-- ' +
        '5/4/3/2/+2 0/1 "POST /pay HTTP/2.0"\n',
    );
  });

  test('names the listener, <NOSRV> and <BADREQ> for what could not be parsed', () => {
    assert.equal(
      haproxy(recordOf(BAD_REQUEST)),
      '10.0.1.2:33317 [06/Feb/2009:13:14:14.655] web web/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 5/4/3/2/0 0/1 "<BADREQ>"\n',
    );
  });

  test('writes a TCP session in the order of option tcplog', () => {
    const session = { head: null, isSession: true, status: 0, termination: 'endpointGoneData' } as const;
    assert.equal(
      haproxy(recordOf({ ...session, connection: connectionOf({ isTls: true }), attempts: 2, wasRedispatched: true })),
      '10.0.1.2:33317 [06/Feb/2009:13:14:14.655] web~ api/127.0.0.1:3000 0/30/109 2750 SD 5/4/3/2/+1 0/1\n',
    );
  });

  test('calls a client on a Unix socket by its listener', () => {
    const connection = connectionOf({ peerAddress: '', peerPort: 0, listenerIndex: 2 });
    assert.match(haproxy(recordOf({ connection, clientAddress: '' })), /^unix:3 \[/);
  });

  test('writes controls, quotes, hashes and what is not ASCII as # and hex digits', () => {
    const head = requestHead({ target: '/a"b#c\r\nd\x7f\u00e9\u20ac\u{1f600}{|}' });
    assert.match(
      haproxy(recordOf({ head })),
      /"GET \/a#22b#23c#0D#0Ad#7F#E9#E2#82#AC#F0#9F#98#80\{\|\} HTTP\/1\.1"\n$/,
    );
  });
});

describe('the combined format', () => {
  const { combined } = FORMATS;

  test('writes what Apache writes', () => {
    assert.equal(
      combined(recordOf()),
      '10.0.1.2 - - [06/Feb/2009:13:14:14 +0100] "GET /index.html?page=2 HTTP/1.1" 200 2750 ' +
        `"https://www.example.com/start" "${USER_AGENT}"\n`,
    );
  });

  test('writes - for all that there was not', () => {
    assert.equal(
      combined(recordOf({ ...BAD_REQUEST, status: 0, clientAddress: '' })),
      '- - - [06/Feb/2009:13:14:14 +0100] "-" - - "-" "-"\n',
    );
  });

  test('writes C escapes and \\x for what is not printable', () => {
    const head = requestHead({ target: '/\b\t\n\v\r"\\\x00\u00ff\u20ac', fields: ['user-agent', 'a"\x1b[2J'] });
    assert.match(
      combined(recordOf({ head })),
      /"GET \/\\b\\t\\n\\v\\r\\"\\\\\\x00\\xff\\xe2\\x82\\xac HTTP\/1\.1" .* "a\\"\\x1b\[2J"\n$/,
    );
  });
});

describe('the JSON format', () => {
  const { json } = FORMATS;

  test('writes every fact of an exchange that went well', () => {
    assert.deepEqual(JSON.parse(json(recordOf())), {
      time: '2009-02-06T12:14:14.655Z',
      requestId: '0198a7c1-6f3e-7b7e-9d3c-0000000010f5',
      client: '10.0.1.2',
      peer: '10.0.1.2',
      peerPort: 33317,
      listener: 'web',
      tls: false,
      method: 'GET',
      host: 'www.example.com',
      target: '/index.html?page=2',
      version: '1.1',
      status: 200,
      bytesReceived: 0,
      bytesSent: 2750,
      route: 'all',
      upstream: 'api',
      endpoint: '127.0.0.1:3000',
      termination: 'ok',
      letters: '--',
      requestMs: 10,
      queueMs: 0,
      connectMs: 30,
      responseMs: 69,
      totalMs: 109,
      attempts: 1,
      redispatched: false,
      retry: 'none',
      failure: null,
      upgraded: false,
      userAgent: USER_AGENT,
      referer: 'https://www.example.com/start',
    });
  });

  test('writes what went wrong, with phases to the microsecond', () => {
    const line = JSON.parse(json(recordOf(TROUBLED))) as Record<string, unknown>;
    const { client, peer, listener, tls, version, endpoint, status, termination, letters } = line;
    assert.deepEqual(
      [client, peer, listener, tls, version, endpoint, status, termination, letters],
      ['2001:db8::7', '::1', 'web-tls', true, '2.0', '/run/app.sock', 0, 'clientGoneHead', 'CH'],
    );
    const { requestMs, queueMs, connectMs, responseMs, totalMs } = line;
    assert.deepEqual([requestMs, queueMs, connectMs, responseMs, totalMs], [0.125, 1.5, 2, -1, 12.1]);
    const { attempts, redispatched, retry, failure, userAgent } = line;
    assert.deepEqual(
      [attempts, redispatched, retry, failure, userAgent],
      [3, true, 'refused-attempts', 'connect-refused', null],
    );
  });

  test('writes null for what could not be parsed', () => {
    const line = JSON.parse(json(recordOf(BAD_REQUEST))) as Record<string, unknown>;
    for (const name of [
      'method',
      'host',
      'target',
      'version',
      'route',
      'upstream',
      'endpoint',
      'userAgent',
      'referer',
    ]) {
      assert.equal(line[name], null, name);
    }
    assert.equal(line['totalMs'], 0);
  });

  test('has the same keys for every exchange', () => {
    const keys = (parts: Partial<ExchangeRecord>) => Object.keys(JSON.parse(json(recordOf(parts))) as object);
    assert.deepEqual(keys(TROUBLED), keys({}));
    assert.deepEqual(keys(BAD_REQUEST), keys({}));
  });
});

describe('every format', () => {
  const hostile = fc.string({ unit: 'binary', maxLength: 40 });
  const hostileRecord = fc
    .record({
      target: hostile,
      method: hostile,
      authority: hostile,
      agent: hostile,
      referer: hostile,
      clientAddress: hostile,
      requestId: hostile,
      name: hostile,
    })
    .map(({ target, method, authority, agent, referer, clientAddress, requestId, name }) =>
      recordOf({
        head: requestHead({ target, method, authority, fields: ['User-Agent', agent, 'Referer', referer] }),
        clientAddress,
        requestId,
        routeName: name,
        connection: connectionOf({ listenerName: name }),
        upstream: upstreamSnapshot({ name }),
      }),
    );

  for (const format of NAMES) {
    test(`${format} makes one line of printable ASCII of whatever a client sends`, () => {
      fc.assert(
        fc.property(hostileRecord, (record) => assert.match(FORMATS[format](record), /^[ -~]*\n$/)),
        { seed: 11, numRuns: 500 },
      );
    });

    test(`${format} keeps its line within a chunk, however long what a client sends`, () => {
      for (const filler of ['a', '"', '\0', '\u20ac']) {
        const long = filler.repeat(200_000);
        const head = requestHead({
          target: long,
          method: long,
          authority: long,
          fields: ['user-agent', long, 'referer', long],
        });
        const line = FORMATS[format](recordOf({ head, clientAddress: long, requestId: long }));
        assert.ok(line.length < CHUNK_BYTES, `${line.length} bytes`);
      }
    });

    test(`${format} takes the time of each line from its own second`, () => {
      const times = [0, 999, 1000, 500, 3_600_000].map((ms) => FORMATS[format](recordOf({ beganWallMs: ms })));
      assert.match(times[0]!, /1970/);
      assert.equal(new Set(times).size, format === 'combined' ? 3 : 5);
    });
  }

  test('json gives back exactly what a client sent', () => {
    fc.assert(
      fc.property(hostile, hostile, (target, agent) => {
        const head = requestHead({ target, fields: ['user-agent', agent] });
        const line = JSON.parse(FORMATS.json(recordOf({ head }))) as Record<string, unknown>;
        assert.equal(line['target'], target);
        assert.equal(line['userAgent'], agent);
      }),
      { seed: 12, numRuns: 500 },
    );
  });

  test('haproxy keeps its number of fields, whatever a client sends', () => {
    fc.assert(
      fc.property(hostileRecord, (record) => {
        const line = FORMATS.haproxy(record);
        assert.equal(line.slice(0, line.indexOf('"')).split(' ').length, 13);
        assert.equal(line.split('"').length, 3);
      }),
      { seed: 13, numRuns: 500 },
    );
  });

  test('combined keeps its number of fields, whatever a client sends', () => {
    const shape = /^\S+ - - \[[^\]]+\] "(?:[^"\\]|\\.)*" \d+ \d+ "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n$/;
    fc.assert(
      fc.property(hostileRecord, (record) => assert.match(FORMATS.combined(record), shape)),
      { seed: 14, numRuns: 500 },
    );
  });
});
