// `match: { host: "::1" }` never matched, because Host carries IPv6 addresses in brackets, and `[::1]` was refused: every
// spelling of an address matches every other. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfigText } from '../../config/load.ts';
import { hostOf } from '../../proxy/routing/route-match.ts';

function patternsOf(host: string): readonly string[] | undefined {
  const text = `listeners: [{ name: web, bind: ":80" }]\nroutes: [{ match: { host: "${host}" }, respond: {} }]\n`;
  const result = loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
  return result.ok ? result.config.settings.routes[0]?.match?.host : undefined;
}

for (const pattern of ['::1', '[::1]', '0:0:0:0:0:0:0:1', '[0000::0001]']) {
  for (const authority of ['[::1]', '[::1]:8080', '[0:0::1]:80', '[::0001]']) {
    test(`host ${pattern} matches Host: ${authority}`, () =>
      assert.deepEqual(patternsOf(pattern), [hostOf(authority)]));
  }
}

test('other hosts are compared as before', () => {
  assert.equal(hostOf('A.Example.com.:80'), 'a.example.com');
  assert.equal(hostOf('[::g]'), '[::g]');
  assert.deepEqual(patternsOf('10.0.0.1'), ['10.0.0.1']);
  assert.equal(patternsOf('[10.0.0.1]'), undefined);
});
