// Templates: what each value reads, how it is encoded for the form of its text, and that no value is parsed again.
// Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTemplate } from '../../../config/values/template-text.ts';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import { constantText, type TemplateForm, templateRenderer } from '../../../core/template.ts';
import type { ReplyFacts, TemplateFacts } from '../../../core/template-values.ts';
import { requestHead } from '../../support/request-head.ts';
import { endpointSnapshot } from '../../support/snapshots.ts';

interface Given {
  readonly target?: string;
  readonly authority?: string;
  readonly fields?: FieldList;
  readonly connection?: Partial<ClientConnection>;
  readonly facts?: Partial<TemplateFacts>;
}

function factsOf({ target = '/a%2Fb?x=1&y', authority = 'example.com:8080', fields = [], ...more }: Given) {
  const connection = {
    listenerIndex: 0,
    listenerName: 'web',
    peerAddress: '192.0.2.1',
    peerPort: 40_000,
    localPort: 8443,
    isTls: true,
    tlsVersion: 'TLSv1.3',
    isTrusted: false,
    localAddress: '198.51.100.1',
    serverName: '',
    onceClosed: () => undefined,
    ...more.connection,
  };
  const request = requestHead({ method: 'POST', target, authority, fields });
  const facts: TemplateFacts = {
    connection,
    request,
    requestId: 'id-1',
    clientAddress: '192.0.2.1',
    routeName: 'shop',
    upstreamName: 'app',
    endpoint: endpointSnapshot(0, { id: '10.0.0.1:3000' }),
    ...more.facts,
  };
  return facts;
}

const REPLY: ReplyFacts = { status: 503, reason: 'Service Unavailable', cause: 'no-endpoint' };

function rendered(text: string, given: Given = {}, form: TemplateForm = 'text'): string {
  const outcome = parseTemplate(text, { form, place: 'reply', environment: { REGION: 'eu {host}' } });
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return templateRenderer(outcome.template)(factsOf(given), REPLY);
}

describe('a value', () => {
  const cases: readonly (readonly [string, string, Given?])[] = [
    ['{scheme}', 'https'],
    ['{scheme}', 'http', { connection: { isTls: false } }],
    ['{host} {hostname}', 'example.com:8080 example.com'],
    ['{host} {hostname}', '[2001:db8::1]:81 [2001:db8::1]', { authority: '[2001:db8::1]:81' }],
    ['{host} {hostname}', '[::1] [::1]', { authority: '[::1]' }],
    ['<{host}{hostname}>', '<>', { authority: '' }],
    ['{port}', '8443'],
    ['{method} {path} {query} {uri}', 'POST /a%2Fb x=1&y /a%2Fb?x=1&y'],
    ['{path}|{query}|{uri}', '/|a?b|/?a?b', { target: '/?a?b' }],
    ['{path}|{query}|{uri}', '*||*', { target: '*' }],
    ['{clientAddress} {clientPort}', '192.0.2.1 40000'],
    ['{clientAddress} {clientPort}', '203.0.113.9 ', { facts: { clientAddress: '203.0.113.9' } }],
    ['{requestId} {listener} {route} {upstream} {endpoint}', 'id-1 web shop app 10.0.0.1:3000'],
    ['<{upstream}{endpoint}>', '<>', { facts: { upstreamName: '', endpoint: null } }],
    ['{header.X-Version} {header.none}.', '1, 2 .', { fields: ['x-version', '1', 'X-Version', '2'] }],
    ['{cookie.b} {cookie.A}.', 'x=y .', { fields: ['Cookie', 'bb=1; a=2; b=x=y; b=3'] }],
    ['{tls.version}', 'TLSv1.3'],
    ['<{tls.serverName}{proxyProtocol.authority}{proxyProtocol.uniqueId}{proxyProtocol.alpn}>', '<>'],
    ['{tls.serverName}', 'a.example', { connection: { serverName: 'a.example' } }],
    [
      '{proxyProtocol.authority} {proxyProtocol.uniqueId} {proxyProtocol.alpn}',
      'b.example id-7 h2',
      { connection: { proxied: { authority: 'b.example', uniqueId: 'id-7', alpn: 'h2' } } },
    ],
    ['{status} {reason} {cause}', '503 Service Unavailable no-endpoint'],
  ];
  for (const [text, expected, given] of cases) {
    test(`${text} is ${expected}`, () => assert.equal(rendered(text, given), expected));
  }

  test('of a proxy in front counts where that is trusted', () => {
    const fields = ['x-forwarded-proto', 'HTTP', 'x-forwarded-host', 'shop.example', 'x-forwarded-port', '80'];
    const text = '{scheme} {host} {port}';
    assert.equal(rendered(text, { fields, connection: { isTrusted: true } }), 'http shop.example 80');
    assert.equal(rendered(text, { fields }), 'https example.com:8080 8443');
    const wrong = ['x-forwarded-proto', 'gopher', 'x-forwarded-host', 'a/b', 'x-forwarded-port', 'x'];
    assert.equal(rendered(text, { fields: wrong, connection: { isTrusted: true } }), 'https example.com:8080 8443');
  });

  test('is never parsed again, whether it comes from a client or the environment', () => {
    assert.equal(rendered('{header.x}', { fields: ['x', '{host}{{uri}}'] }), '{host}{{uri}}');
    assert.equal(rendered('{env.REGION}'), 'eu {host}');
  });
});

describe('encoding', () => {
  const hostile = { fields: ['x', ' a\r\nSet-Cookie: b=1\0\x7f"<\'&\\%20é '] };

  test('for fields leaves out control characters and outer spaces', () => {
    assert.equal(rendered('{header.x}', hostile, 'field'), 'aSet-Cookie: b=1"<\'&\\%20é');
  });

  test('for URLs percent-encodes what no URL has', () => {
    assert.equal(
      rendered('https://a/{header.x}', hostile, 'url'),
      "https://a/%20a%0D%0ASet-Cookie:%20b=1%00%7F%22%3C'&%5C%20%E9%20",
    );
    assert.equal(rendered('https://a{uri}', { target: '*' }, 'url'), 'https://a/');
  });

  test('for HTML and JSON escapes what is markup there', () => {
    const fields = ['x', `<script>alert("1")</script>&'`];
    assert.equal(
      rendered('<b>{header.x}</b>', { fields }, 'html'),
      '<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</b>',
    );
    const json = rendered('{"x":"{header.x}"}', { fields: ['x', 'a"b\\c\n<'] }, 'json');
    assert.deepEqual(JSON.parse(json), { x: 'a"b\\c\n<' });
    assert.doesNotMatch(json, /</);
  });
});

test('a text without values is a constant, whatever braces it has', () => {
  for (const text of [
    '',
    'plain',
    '{"a":{"b":1}}',
    'p{color:red}',
    '@media print{p{top:0}}',
    '{ host }',
    '{1,2}',
    '${host}',
  ]) {
    const outcome = parseTemplate(text, { form: 'text', place: 'reply', environment: {} });
    assert.ok(outcome.ok);
    assert.equal(constantText(outcome.template), text);
  }
  assert.equal(rendered('{{host}} {host}', { authority: 'a' }), '{host} a');
});
