// Policies error-pages and listener-error-pages: choice by status and Accept, fields of replies, deliberate answers, and
// errors of endpoints. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { preferredType } from '../../../../core/accept-types.ts';
import { errorPages, listenerErrorPages } from '../../../../proxy/policies/error-pages.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';
import { compileContext } from '../../../support/compile-context.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { fieldOf } from '../../../support/request-head.ts';
import { listenerSnapshot, policySnapshot, routeSnapshot, snapshot } from '../../../support/snapshots.ts';

const HTML = { body: '<h1>{status} {reason}</h1>{header.x}', contentType: 'text/html' };
const JSON_PAGE = { body: '{"status":{status},"cause":"{cause}","id":"{requestId}"}', contentType: 'application/json' };
const PAGES = { errorPages: { '404': { body: 'no {path}' }, '5xx': [HTML, JSON_PAGE] } };

async function replyOf(status: number, accept?: string, more: object = {}, options: object = PAGES) {
  const fields = [...(accept === undefined ? [] : ['Accept', accept]), 'X', '<b>'];
  const exchange = await testPolicy(errorPages as never, options).request({ target: '/a?b', fields });
  const given = ['Content-Type', 'text/plain', 'Retry-After', '1'];
  return exchange.localReply({ status, cause: 'no-endpoint', fields: given, body: 'own', ...more });
}

describe('a reply of Fairlead', () => {
  const cases: readonly (readonly [status: number, accept: string | undefined, body: string])[] = [
    [503, undefined, '<h1>503 Service Unavailable</h1>&lt;b&gt;'],
    [502, 'text/html,*/*;q=0.8', '<h1>502 Bad Gateway</h1>&lt;b&gt;'],
    [503, 'application/json', '{"status":503,"cause":"no-endpoint","id":"test-request"}'],
    [503, 'text/html;q=0.5, application/json', '{"status":503,"cause":"no-endpoint","id":"test-request"}'],
    [503, 'image/png', 'own'],
    [404, 'text/*', 'no /a'],
    [404, 'application/json', 'own'],
    [403, undefined, 'own'],
    [200, undefined, 'own'],
  ];
  for (const [status, accept, body] of cases) {
    test(`${status} for ${accept ?? 'any type'} has the body ${body}`, async () => {
      assert.equal((await replyOf(status, accept)).body, body);
    });
  }

  test('keeps its other fields and names what chose its type', async () => {
    assert.deepEqual((await replyOf(503)).fields, ['Retry-After', '1', 'Content-Type', 'text/html', 'Vary', 'Accept']);
    const alone = await replyOf(404);
    assert.deepEqual(alone.fields, ['Retry-After', '1', 'Content-Type', 'text/plain; charset=utf-8']);
  });

  test('keeps its body where that is a deliberate answer', async () => {
    for (const cause of ['configured', 'policy']) assert.equal((await replyOf(503, undefined, { cause })).body, 'own');
  });
});

test('pages of a route precede those of its listener, which serve requests without a route', () => {
  const compiled = (policy: object, body: string) =>
    (policy as typeof errorPages).compile(
      { errorPages: { '4xx': [{ body, values: true }], '5xx': [{ body, values: true }] } },
      compileContext(),
    );
  const listeners = [
    listenerSnapshot({ policies: [policySnapshot('listener-error-pages', compiled(listenerErrorPages, 'listener'))] }),
  ];
  const match = { ...routeSnapshot().match, hosts: ['shop.example'] };
  const policies = [policySnapshot('error-pages', compiled(errorPages, 'route'))];
  const bench = new ForwardingBench(
    snapshot({ listeners, routes: [routeSnapshot({ match, policies })], upstreams: [] }),
  );
  const bodyFor = (authority: string) => Buffer.from(bench.request({ authority }).reply!.body).toString();
  assert.equal(bodyFor('other.example'), 'listener');
});

describe('an error of an endpoint', () => {
  function play(status: number, method = 'GET', type = 'text/plain') {
    const data = errorPages.compile(
      { errorPages: { '5xx': [{ ...HTML, values: true }] }, interceptErrors: [502, 503] },
      compileContext(),
    );
    const policies = [policySnapshot('error-pages', data, { stage: 'answer', needs: ['transform-response-body'] })];
    const bench = new ForwardingBench(snapshot({ routes: [routeSnapshot({ policies })] }));
    const client = bench.request({ method });
    const { events } = bench.last;
    events.onLease(false);
    events.onHead(responseHead(status, ['Content-Type', type, 'Content-Encoding', 'gzip', 'X-Own', '1']));
    if (method !== 'HEAD') events.onData(Buffer.from('bytes of gzip'));
    events.onEnd(null);
    return { client, isAborted: bench.last.isAborted };
  }

  test('is replaced by the page where its status is intercepted', () => {
    const { client, isAborted } = play(503);
    assert.match(client.log.join('\n'), /<h1>503 Service Unavailable/);
    assert.doesNotMatch(client.log.join('\n'), /bytes of gzip/);
    assert.equal(isAborted, false, 'its connection is not used again');
    assert.equal(fieldOf(client.extra, 'content-type'), 'text/html');
    assert.deepEqual([client.head?.field('content-encoding'), client.head?.hasLength], [undefined, false]);
  });

  test('is relayed where its status is not intercepted, and for gRPC', () => {
    assert.match(play(500).client.log.join('\n'), /bytes of gzip/);
    assert.match(play(503, 'GET', 'application/grpc').client.log.join('\n'), /bytes of gzip/);
  });

  test('of a HEAD request has the fields of the page and no body', () => {
    assert.doesNotMatch(play(503, 'HEAD').client.log.join('\n'), /<h1>/);
  });
});

test('a status without a page, and a page that is both a file and a body, are refused', () => {
  assert.throws(() => testPolicy(errorPages as never, { ...PAGES, interceptErrors: [429] }), /no page for 429/);
  assert.throws(() => testPolicy(errorPages as never, { interceptErrors: [503] }), /no page for 503/);
  assert.throws(() => testPolicy(errorPages as never, { errorPages: { '404': {} } }), /either a file or a body/);
  assert.throws(() => testPolicy(errorPages as never, { errorPages: { '200': 'a' } }), /not a status of an error/);
  assert.throws(() => testPolicy(errorPages as never, { errorPages: { '404': { body: '{stats}' } } }), /\{status\}/);
});

describe('Accept', () => {
  const types = ['text/html', 'application/json'];
  const cases: readonly (readonly [string | undefined, number])[] = [
    [undefined, 0],
    ['', 0],
    ['*/*', 0],
    ['application/json', 1],
    ['application/*;q=0.9, text/html;q=0.8', 1],
    ['text/*, application/json', 0],
    ['text/html;q=0, */*', 1],
    ['APPLICATION/JSON; q=0.3', 1],
    ['text/html;q=x', -1],
    ['image/*', -1],
  ];
  for (const [accept, expected] of cases) {
    test(`${accept} chooses ${expected}`, () => assert.equal(preferredType(accept, types), expected));
  }
});

test('fields of the page follow those of the reply', async () => {
  const { fields } = await replyOf(503, 'text/html', { fields: ['content-type', 'a/b'] });
  assert.equal(fieldOf(fields, 'content-type'), 'text/html');
});
