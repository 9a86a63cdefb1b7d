// Chosen fields of the access log: values, keys, redaction, text and JSON. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { optionSchemas } from '../../../../config/schema/schema-values.ts';
import { buildLogFormat, capturesOfFormat, compileLogFormat } from '../../../../logging/access/log-formats.ts';
import { json } from '../../../../logging/access/format-json.ts';
import { text } from '../../../../logging/access/format-text.ts';
import { requestHead } from '../../../support/request-head.ts';
import { recordOf } from './sample-record.ts';

const FORMATS = { json, text };

function settingsOf(name: 'json' | 'text', options: object) {
  const parsed = z.strictObject(FORMATS[name].options(optionSchemas)).parse(options);
  return compileLogFormat({ name, ...parsed });
}

function line(name: 'json' | 'text', options: object, record = RECORD): string {
  return buildLogFormat(settingsOf(name, options))(record);
}

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const MEMOS: Readonly<Record<string, unknown>> = {
  'access-log': { 'content-type': 'text/html', 'set-cookie': 'a=1; Path=/, sid=x=y; HttpOnly' },
};
const RECORD = {
  ...recordOf({
    routeName: '',
    head: requestHead({
      target: '/a b?q="1"',
      fields: ['X-Tenant', 'eu "1"\n', 'Cookie', 'a=1; sid=s-1', 'Authorization', 'Basic eA==', 'Traceparent', TRACE],
    }),
  }),
  policyMemo: (policy: string) => MEMOS[policy],
};

describe('chosen fields', () => {
  test('have values of all kinds, in the order of the list', () => {
    const fields = ['status', 'tls', 'route', 'totalMs', 'path', 'query', 'letters', 'header.X-Tenant', 'header.none'];
    assert.deepEqual(JSON.parse(line('json', { fields })), {
      status: 200,
      tls: false,
      route: null,
      totalMs: 109,
      path: '/a b',
      query: 'q="1"',
      letters: '--',
      'header.x-tenant': 'eu "1"\n',
      'header.none': null,
    });
    assert.equal(
      line('text', { fields }),
      'status=200 tls=false route=- totalMs=109 path="/a b" query="q=\\"1\\"" letters=-- header.x-tenant="eu \\"1\\"\\n" header.none=-\n',
    );
  });

  test('are renamed by a mapping', () => {
    const fields = { t: 'time', code: 'status', 'http.method': 'method' };
    assert.equal(line('json', { fields }), '{"t":"2009-02-06T12:14:14.655Z","code":200,"http.method":"GET"}\n');
  });

  test('have the values of cookies and of response fields, which are kept for them', () => {
    const fields = ['cookie.sid', 'cookie.x', 'responseHeader.Content-Type', 'responseCookie.sid', 'responseCookie.a'];
    assert.deepEqual(Object.values(JSON.parse(line('json', { fields })) as object), [
      's-1',
      null,
      'text/html',
      'x=y',
      '1',
    ]);
    assert.deepEqual(capturesOfFormat(settingsOf('json', { fields })), ['content-type', 'set-cookie']);
    assert.deepEqual(capturesOfFormat(settingsOf('json', {})), []);
    const local = { ...RECORD, policyMemo: () => undefined };
    assert.deepEqual(JSON.parse(line('json', { fields: ['responseHeader.content-type'] }, local)), {
      'responseHeader.content-type': null,
    });
  });

  test('hide credentials unless the list of redactions is replaced', () => {
    const fields = [
      'header.authorization',
      'header.proxy-authorization',
      'header.x-tenant',
      'responseHeader.set-cookie',
    ];
    const hidden = ['<hidden>', null, 'eu "1"\n', '<hidden>'];
    assert.deepEqual(Object.values(JSON.parse(line('json', { fields })) as object), hidden);
    const own = Object.values(JSON.parse(line('json', { fields, redact: ['X-Tenant'] })) as object);
    assert.deepEqual(own.slice(0, 3), ['Basic eA==', null, '<hidden>']);
  });

  test('have the trace of a valid traceparent only, and that of the policy', () => {
    const fields = ['traceparent', 'traceId'];
    const traceOf = (record: typeof RECORD) => Object.values(JSON.parse(line('json', { fields }, record)) as object);
    assert.deepEqual(traceOf(RECORD), [TRACE, '4bf92f3577b34da6a3ce929d0e0e4736']);
    const head = requestHead({ fields: ['Traceparent', `${TRACE}-x`] });
    assert.deepEqual(traceOf({ ...RECORD, head }), [null, null]);
    const made = TRACE.replace('4bf9', 'ffff');
    assert.equal(traceOf({ ...RECORD, head, policyMemo: () => made })[0], made);
  });

  test('name the rule that a malformed response broke, in the default line too', () => {
    const record = recordOf({ failureKind: 'malformed-response', failureReason: 'bad-value in field X-Bad' });
    assert.match(
      line('json', {}, { ...RECORD, ...record }),
      /"failure":"malformed-response","failureReason":"bad-value in field X-Bad","upgraded"/,
    );
    assert.match(
      line('text', { fields: ['failure', 'failureReason'] }, { ...RECORD, ...record }),
      /^failure=malformed-response failureReason="bad-value in field X-Bad"\n$/,
    );
    assert.doesNotMatch(line('json', {}), /failureReason/);
  });

  test('never throw and stay one line for a request that could not be parsed', () => {
    const names =
      'time requestId client peer peerPort listener tls scheme method host target path query version status bytesReceived bytesSent route upstream endpoint termination letters requestMs queueMs connectMs responseMs totalMs attempts redispatched retry failure failureReason upgraded userAgent referer traceparent traceId header.a cookie.a responseHeader.a responseCookie.a';
    const record = recordOf({ head: null, upstream: null, endpoint: null, routeName: '' }) as typeof RECORD;
    for (const name of ['json', 'text'] as const) {
      const written = line(name, { fields: names.split(' ') }, record);
      assert.equal(written.indexOf('\n'), written.length - 1);
      assert.doesNotMatch(written, /undefined|NaN/);
    }
  });
});
