// Policy redirect-to-https: host, port and target of the location, exceptions, requests behind a TLS proxy.
// Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldOf } from '../../../support/request-head.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { listenerSnapshot, policySnapshot, routeSnapshot, snapshot } from '../../../support/snapshots.ts';
import { redirectToHttps } from '../../../../proxy/policies/redirect-to-https.ts';
import { type PlayedRequest, testPolicy } from '../../../../testing/policy-bench.ts';

async function locationOf(request: PlayedRequest, redirect: object | true = true): Promise<string | undefined> {
  const { reply } = await testPolicy(redirectToHttps as never, { redirectToHttps: redirect }).request(request);
  return reply === null ? undefined : `${reply.status} ${reply.field('location') ?? ''}`;
}

describe('the location', () => {
  const cases: readonly (readonly [PlayedRequest, string])[] = [
    [{ authority: 'example.com', target: '/a%2Fb?x=1' }, '308 https://example.com/a%2Fb?x=1'],
    [{ authority: 'example.com:8080' }, '308 https://example.com/'],
    [{ authority: 'example.com:' }, '308 https://example.com/'],
    [{ authority: '192.0.2.1:80' }, '308 https://192.0.2.1/'],
    [{ authority: '[2001:db8::1]' }, '308 https://[2001:db8::1]/'],
    [{ authority: '[2001:db8::1]:8080', target: '/?a' }, '308 https://[2001:db8::1]/?a'],
    [{ authority: 'example.com', target: '//evil.example/' }, '308 https://example.com//evil.example/'],
    [{ authority: 'example.com', target: '*', method: 'OPTIONS' }, '308 https://example.com/'],
    [{ authority: 'example.com', target: '/"<\\>' }, '308 https://example.com/%22%3C%5C%3E'],
  ];
  for (const [request, expected] of cases) {
    test(`for ${request.authority} ${request.target ?? '/'}`, async () => {
      assert.equal(await locationOf(request), expected);
    });
  }

  test('names a port other than 443, and has the chosen status', async () => {
    const request = { authority: '[::1]:80', target: '/a' };
    assert.equal(await locationOf(request, { port: 8443, status: 301 }), '301 https://[::1]:8443/a');
    assert.equal(await locationOf(request, { port: 443 }), '308 https://[::1]/a');
  });
});

test('requests behind a trusted TLS proxy, and exceptions, pass', async () => {
  const fields = ['X-Forwarded-Proto', 'https'];
  assert.equal(await locationOf({ fields, connection: { isTrusted: true } }), undefined);
  assert.match((await locationOf({ fields }))!, /^308 /);
  const except = ['/.well-known/acme-challenge/', '/healthz'];
  assert.equal(await locationOf({ target: '/.well-known/acme-challenge/abc' }, { except }), undefined);
  assert.equal(await locationOf({ target: '/healthz' }, { except: ['/healthz'] }), undefined);
  assert.match((await locationOf({ target: '/other' }, { except }))!, /^308 /);
});

describe('in front of routes', () => {
  const data = redirectToHttps.compile({ redirectToHttps: { port: 443, status: 308, except: ['/open'] } }, {} as never);
  const listeners = [listenerSnapshot({ policies: [policySnapshot('redirect-to-https', data, { needs: ['reply'] })] })];

  test('it redirects requests that no route takes, and a request without a host gets 400', () => {
    const match = { ...routeSnapshot().match, hosts: ['other.example'] };
    const bench = new ForwardingBench(snapshot({ listeners, routes: [routeSnapshot({ match })] }));
    const { reply } = bench.request({ target: '/a', authority: 'a.example' });
    assert.deepEqual([reply?.status, fieldOf(reply!.fields, 'location')], [308, 'https://a.example/a']);
    assert.equal(bench.request({ authority: '' }).reply?.status, 400);
    assert.equal(bench.request({ target: '/open' }).reply?.status, 404);
  });

  test('it redirects requests that a route takes', () => {
    const bench = new ForwardingBench(snapshot({ listeners }));
    assert.equal(bench.request({ authority: 'a.example' }).reply?.status, 308);
    assert.equal(bench.request({ target: '/open' }).reply, null);
  });
});

test('explains what it would do', () => {
  const data = redirectToHttps.compile({ redirectToHttps: { port: 443, status: 308, except: [] } }, {} as never)!;
  const request = { method: 'GET', target: '/a', authority: 'a.example', field: () => undefined };
  const facts = { connection: { isTls: false, isTrusted: false }, request };
  assert.equal(redirectToHttps.explain!(data, facts as never), 'redirects to https://a.example/a');
});
