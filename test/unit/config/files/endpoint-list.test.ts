// Lists of endpoints in files: what is accepted, and where mistakes are located. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEndpointList } from '../../../../config/files/endpoint-list.ts';
import { idOf } from '../../../../discovery/source.ts';

describe('a list of endpoints', () => {
  test('has URLs and mappings, in YAML', () => {
    const text = [
      '- http://10.0.0.1:3000',
      '- { url: "https://[2001:db8::1]", weight: 5, backup: true, zone: eu-1a, metadata: { version: "7" } }',
      '- unix:/run/app.sock',
    ].join('\n');
    const list = parseEndpointList(text, 'list.yaml');
    assert.ok(list.ok);
    assert.deepEqual(list.endpoints.map(idOf), ['10.0.0.1:3000', '[2001:db8::1]:443', '/run/app.sock']);
    const { protocol, weight, backup, zone, metadata } = list.endpoints[1]!;
    const expected = { protocol: 'https', weight: 5, backup: true, zone: 'eu-1a', metadata: { version: '7' } };
    assert.deepEqual({ protocol, weight, backup, zone, metadata }, expected);
  });

  test('is JSON as well', () => {
    const list = parseEndpointList('["http://a:1", {"url": "http://b:2", "weight": 2}]', 'list.json');
    assert.ok(list.ok);
    assert.deepEqual(
      list.endpoints.map(({ host, weight }) => [host, weight]),
      [
        ['a', 1],
        ['b', 2],
      ],
    );
  });

  const JSON_LISTS: readonly string[] = [
    '["http://a:1", "HTTPS://B"]',
    '[\n  { "url": "http://a:1", "weight": 2, "backup": true, "zone": "z", "metadata": { "v": "1" } }\n]\n',
    '[{ "url": "http://a:1", "weight": 1e1 }]',
    '[{ "url": "http://a:1", "zone": "Zürich" }]',
    '[{ "url": "http://a:1", "zone": "\\u0041\\"" }]',
    '[{ "url": "http://a:1", "zone": "$$" }]',
    '[{ "url": "http://a:1", "zone": "${Z}" }]',
    '[{ "url": "http://a:1", "zone": "a\u0085b" }]',
    '[{ "url": "http://a:1", "metadata": { "a\u0085b": "c" } }]',
    '[{ "url": "http://a:1", "metadata": { "<<": "c" } }]',
    '[{ "url": "http://a:1", "metadata": { "__proto__": "c" } }]',
    '[{ "url": "http://a:1", "url": "http://b:1" }]',
    '[{ "url": "http://a:1", "metadata": { "v": "1", "v": "2" } }]',
    '[{ "url": "http://a:1", "weight": 0 }]',
    '["http://a:1/x"]',
    '[1, null]',
    '["http://a:1"',
    '["http://a:1"] x',
    '\uFEFF["http://a:1"]',
    '["http://a:1",\r\n"http://b:1"]',
    '["http://a:1",\r"http://b:1"]',
    '[\t"http://a:1"]',
  ];
  for (const text of JSON_LISTS) {
    test(`means in JSON what it means in YAML: ${JSON.stringify(text)}`, () => {
      // JSON has no comments.
      assert.deepEqual(parseEndpointList(text, 'list'), parseEndpointList(`${text}\n# in YAML`, 'list'));
    });
  }

  test('may be empty', () => {
    assert.deepEqual(parseEndpointList('[]', 'list.yaml'), { ok: true, endpoints: [] });
  });

  const WRONG: readonly (readonly [what: string, text: string, cause: RegExp])[] = [
    ['no text', '', /^list\.yaml:1:1: .*list of endpoints/],
    ['a half-written mapping', '- http://a:1\n- { url: http://b', /^list\.yaml:2:\d+: /],
    ['half-written JSON', '["http://a:1", "htt', /^list\.yaml:1:\d+: /],
    ['a mapping in place of the list', 'endpoints: []', /^list\.yaml:1:1: .*list of endpoints/],
    ['an unknown key', '- url: http://a:1\n  wieght: 2', /^list\.yaml:2:3: .*wieght/],
    ['a weight out of range', '- { url: http://a:1, weight: 0 }', /^list\.yaml:1:30: .*1 to 256/],
    ['a path in a URL', '- http://a:1/x', /^list\.yaml:1:3: .*path/],
    ['a variable', '- http://${HOST}:1', /^list\.yaml:1:\d+: .*HOST/],
    ['a control character in a label', '- { url: http://a:1, zone: "a\\nb" }', /^list\.yaml:1:\d+: .*label/],
  ];
  for (const [what, text, cause] of WRONG) {
    test(`${what} is refused with its place`, () => {
      const list = parseEndpointList(text, 'list.yaml');
      assert.equal(list.ok, false);
      assert.match(list.ok ? '' : list.cause, cause);
    });
  }

  test('of 10,000 endpoints is read', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => `- http://10.0.${at >> 8}.${at & 255}:80`).join('\n');
    const list = parseEndpointList(text, 'list.yaml');
    assert.ok(list.ok);
    assert.equal(list.endpoints.length, 10_000);
  });
});
