// Warnings of faulty Node releases: which release and which configuration they concern. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfigText } from '../../../config/load.ts';
import { NODE_ADVISORIES, nodeWarnings } from '../../../config/node-advisories.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { WALL_MS } from './golden-cases.ts';

const DIRECTORY = privateCertificates();
const PAIR = '{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }';
const TLS = `tls: { certificates: [${PAIR}] }`;

function warnings(yaml: { listener?: string; endpoint?: string; more?: string }, version: string): string[] {
  const { listener = '', endpoint = 'http://10.0.0.1:1', more = '' } = yaml;
  const text = `
listeners: [{ name: web, bind: "127.0.0.1:1"${listener === '' ? '' : `, ${listener}`} }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["${endpoint}"], health: { heartbeat: false } } }
${more}`;
  const loaded = loadConfigText(text, { file: 'a.yaml', directory: DIRECTORY, environment: {}, wallMs: WALL_MS });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return nodeWarnings(loaded.config.settings, version);
}

describe('warnings of Node releases', () => {
  for (const [version, isWarned] of [
    ['24.12.0', true],
    ['24.22.2', true],
    ['24.22.3', false],
    ['24.23.0', false],
    ['25.9.0', true],
    ['26.10.0', true],
    ['26.13.0', true],
    ['26.13.1', false],
    ['26.13.1-nightly', false],
    ['27.0.0', false],
  ] as const) {
    test(`a listener with TLS on ${version}: ${isWarned ? 'one of them' : 'none'}`, () => {
      const found = warnings({ listener: TLS }, version).some((text) => text.includes('CVE-2026-126051'));
      assert.equal(found, isWarned);
    });
  }

  test('a configuration that uses none of the faulty parts has none', () => {
    assert.deepEqual(warnings({}, '24.12.0'), []);
    assert.deepEqual(warnings({ more: 'fastPath: false' }, '24.12.0'), []);
  });

  test('HTTP/2 of Node concerns the general path alone, endpoints with TLS their verification', () => {
    assert.match(warnings({ listener: 'http2: true', more: 'fastPath: false' }, '26.13.0').join(), /CVE-2026-123866/);
    assert.deepEqual(warnings({ listener: 'http2: true' }, '26.13.0'), []);
    assert.match(warnings({ endpoint: 'https://10.0.0.1:1' }, '26.12.0').join(), /CVE-2026-105483/);
    assert.deepEqual(warnings({ endpoint: 'https://10.0.0.1:1' }, '26.12.1'), []);
  });

  test('each has identifiers, a source, and a release that fixes it', () => {
    for (const { ids, source, fixed } of NODE_ADVISORIES) {
      for (const id of ids) assert.match(id, /^CVE-20\d\d-\d{4,6}$/);
      assert.match(source, /^https:\/\/(?:nodejs\.org|github\.com\/nodejs)\//);
      for (const [line, release] of Object.entries(fixed)) assert.ok(release.startsWith(`${line}.`), release);
    }
  });
});
