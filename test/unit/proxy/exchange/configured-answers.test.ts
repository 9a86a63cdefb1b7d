// Replies that routes configure: rendered targets and bodies, and targets that must not lead elsewhere. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { loadConfigText } from '../../../../config/load.ts';
import type { LocalAction } from '../../../../core/snapshot/route.ts';
import type { TemplateFacts } from '../../../../core/template-values.ts';
import { ConfiguredAnswers } from '../../../../proxy/exchange/configured-answers.ts';
import { type HeadParts, requestHead } from '../../../support/request-head.ts';
import { privateCertificates } from '../../../support/private-certificates.ts';

const DIRECTORY = privateCertificates();

function actionOf(route: string): LocalAction {
  const text = `listeners: [{ name: web, bind: ":80" }]\nroutes: [{ ${route} }]\n`;
  const loaded = loadConfigText(text, { file: 'f', directory: DIRECTORY, environment: {}, wallMs: 0 });
  assert.ok(loaded.ok, JSON.stringify(!loaded.ok && loaded.problems));
  return compile(loaded.config, newTables({ endpoints: 1, upstreams: 1, listeners: 1 }), 1).routes[0]!
    .action as LocalAction;
}

function reply(route: string, head: Partial<HeadParts> = {}) {
  const connection = { isTls: false, isTrusted: false, listenerName: 'web', localPort: 80 };
  const facts = { connection, request: requestHead(head), requestId: 'id', clientAddress: '', routeName: 'r' };
  return new ConfiguredAnswers().replyOf(actionOf(route), facts as never as TemplateFacts, ['X-Added', '1']);
}

describe('a redirect', () => {
  const cases: readonly (readonly [to: string, head: Partial<HeadParts>, location: string | null])[] = [
    ['https://{host}{uri}', { authority: 'a.example:81', target: '/a?b=c' }, 'https://a.example:81/a?b=c'],
    ['https://{hostname}:8443{uri}', { authority: '[::1]:81', target: '/' }, 'https://[::1]:8443/'],
    ['https://{host}{uri}', { authority: '' }, null],
    ['{scheme}://{host}/new', { authority: 'a.example' }, 'http://a.example/new'],
    ['{uri}', { target: '//evil.example/' }, '/evil.example/'],
    ['{path}', { target: '///x?y' }, '/x'],
    ['/login?next={uri}', { target: '/a?b&c' }, '/login?next=/a?b&c'],
    ['https://b.example/{header.x}', { fields: ['x', 'a\r\nb"'] }, 'https://b.example/a%0D%0Ab%22'],
    ['https://b.example/', {}, 'https://b.example/'],
  ];
  for (const [to, head, location] of cases) {
    test(`to ${to} for ${head.authority ?? ''}${head.target ?? ''} leads to ${location}`, () => {
      const made = reply(`redirect: { to: "${to}" }`, { target: '/', authority: 'a', ...head });
      if (location === null) assert.equal(made, null);
      else assert.deepEqual([made?.status, made?.fields], [308, ['Location', location, 'X-Added', '1']]);
    });
  }
});

describe('a redirect that replaces a part of the path', () => {
  const cases: readonly (readonly [target: string, location: string])[] = [
    ['/v1', 'http://a/v2'],
    ['/v1/x?q=/v1/', 'http://a/v2/x?q=/v1/'],
    ['/v10', 'http://a/v10'],
    ['/v1//evil.example', 'http://a/v2/evil.example'],
    ['/v1/../x', 'http://a/x'],
    ['*', 'http://a/'],
  ];
  for (const [target, location] of cases) {
    test(`${target} leads to ${location}`, () => {
      const regex = 'regex: { match: "^/v1(/|$)", replace: /v2$1 }';
      const made = reply(`redirect: { to: "{scheme}://{host}{uri}", ${regex} }`, { target, authority: 'a' });
      assert.deepEqual(made?.fields, ['Location', location, 'X-Added', '1']);
    });
  }

  test('into a target without a host stays on the host of the request', () => {
    const regex = 'regex: { match: "^/v1(/|$)", replace: $1 }';
    const made = reply(`redirect: { to: "{uri}", ${regex} }`, { target: '/v1//evil.example', authority: 'a' });
    assert.deepEqual(made?.fields.slice(0, 2), ['Location', '/evil.example']);
  });
});

describe('a response', () => {
  const textOf = (route: string, head: Partial<HeadParts> = {}) => Buffer.from(reply(route, head)!.body).toString();

  test('has values, escaped for its type', () => {
    const fields = ['x', '<a"b>'];
    assert.equal(textOf('respond: { body: "{method} {header.x} {{host}}" }', { fields }), 'GET <a"b> {host}');
    assert.equal(
      textOf('respond: { body: "<p>{header.x}</p>", contentType: text/html }', { fields }),
      '<p>&lt;a&quot;b&gt;</p>',
    );
    const json = textOf(`respond: { body: '{"x":"{header.x}"}', contentType: application/json }`, { fields });
    assert.deepEqual(JSON.parse(json), { x: '<a"b>' });
    assert.equal(textOf('respond: { body: "{host}", values: false }'), '{host}');
  });

  test('has no Content-Type without content', () => {
    assert.deepEqual(reply('respond: { status: 204 }')?.fields, ['X-Added', '1']);
    assert.deepEqual(reply('respond: { body: a }')?.fields, [
      'Content-Type',
      'text/plain; charset=utf-8',
      'X-Added',
      '1',
    ]);
  });

  test('is the bytes of a file, with the type of its name', () => {
    const made = reply('respond: { file: certificates/api.example.com.pem }')!;
    assert.equal(made.fields[1], 'application/octet-stream');
    assert.match(Buffer.from(made.body).toString(), /^-----BEGIN CERTIFICATE-----/);
  });
});
