// Parts that each built-in policy must have: an effect for explain, its keys in the reference and the complete example, errors
// with carets, and a page. Thread: both.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { optionSchemas } from '../../../../config/schema/schema-values.ts';
import { explainFile } from '../../../../control/explain/explanation.ts';
import { type AnyBuiltInPolicy, POLICIES } from '../../../../proxy/policies/registry.ts';
import { seededRandom } from '../../../../core/random.ts';
import { load } from '../../config/golden-cases.ts';

const ROOT = path.join(import.meta.dirname, '../../../..');
const textOf = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const textsIn = (folder: string): string =>
  readdirSync(path.join(ROOT, folder))
    .map((name) => textOf(`${folder}/${name}`))
    .join('\n');

const REFERENCE = textOf('docs/config-reference.md');
const EXAMPLE = textOf('examples/everything.yaml');
const OVERVIEW = textOf('docs/policies.md');
const PAGES = [textsIn('docs/policies'), ...['docs/grpc.md', 'docs/tracing.md'].map(textOf)].join('\n');
const GOLDEN = textsIn('test/unit/config/golden');
const ALL = POLICIES as unknown as readonly AnyBuiltInPolicy[];
/** Place of a policy of each scope in messages. */
const PLACE = { listener: 'listeners\\[\\d+\\]', route: 'routes\\[\\d+\\]', upstream: 'upstreams\\.[\\w-]+' } as const;

for (const policy of ALL) {
  describe(`${policy.name} (${policy.scope})`, () => {
    const keys = Object.keys(policy.options(optionSchemas));

    test('has a row in docs/policies.md with a link to its page', () => {
      const row = OVERVIEW.split('\n').find((line) => line.startsWith('| ') && line.includes(`\`${policy.name}\``));
      assert.match(row ?? '', /\]\((?:policies\/)?[a-z-]+\.md(?:#[\w-]+)?\)/);
      for (const key of keys) assert.ok(row!.includes(`\`${key}\``), `the row has no ${key}`);
    });

    for (const key of keys) {
      test(`the key ${key} is in the reference, the example and a page`, () => {
        assert.ok(REFERENCE.includes(`\`${key}\``) || REFERENCE.includes(`.${key}`), 'no row in the reference');
        assert.match(EXAMPLE, new RegExp(`\\b${key}:`));
        assert.match(PAGES, new RegExp(`\`${key}\\b|\\b${key}:`));
      });

      test(`an error in ${key} is reported with its place and a caret`, () => {
        const message = new RegExp(
          `^=> \\S+:\\d+:\\d+: .*\\(${PLACE[policy.scope]}\\.${key}\\b.*\\n=> .*\\n=> .*\\^`,
          'm',
        );
        assert.match(GOLDEN, message);
      });
    }
  });
}

describe('explain', () => {
  const CONFIG = `listeners: [{ name: web, bind: ":80", allow: 10.0.0.0/8, forwarded: true, errorPages: { 503: { body: x } } }]
routes:
  - name: all
    maintenanceBypass: { client: 10.0.0.0/8 }
    responseBuffer: true
    compress: true
    deny: 192.0.2.0/24
    priority: critical
    rateLimit: 10/s
    requestsPerClient: 5
    cors: { origins: "https://a.example.com" }
    basicAuth: { users: { a: "$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2" } }
    forwardAuth: { url: "http://10.0.0.9/" }
    errorPages: { 502: { body: x } }
    split: { upstreams: [{ upstream: app, weight: 1 }, { upstream: other, weight: 1 }] }
    rewrite: { stripPrefix: /x }
    securityHeaders: true
    requestHeaders: { set: { X-A: "{host}" }, remove: [x-b] }
    traceContext: { create: true }
    responseLimit: 1MiB
    mirror: { to: other, percent: 0.5% }
    grpcWeb: true
upstreams:
  app: &app { grpcMetrics: true, responseHeaders: { set: { X-App: a } }, endpoints: ["http://10.0.0.1"], maintenanceBypass: { client: "::1" }, sticky: { cookie: lb, secret: sixteen letters and more }, health: { heartbeat: false } }
  other: *app
accessLog: { format: { name: json, fields: [responseHeader.x-a] } }
tracing: { endpoint: "http://127.0.0.1:4318", sampling: 1% }
`;

  test('names the effect of each policy', () => {
    const result = load(CONFIG);
    assert.ok(result.ok, result.ok ? '' : result.problems.map(({ message }) => message).join('\n'));
    const query = { url: 'http://a.test/x/y', method: 'GET', headers: [], client: '10.0.0.1', listener: null };
    const { policies } = explainFile(query, result.config, seededRandom(1));
    for (const { name, effect } of policies) assert.match(effect, /^[a-z]+s? /, `${name}: ${effect}`);
    // The first answers only while a certificate is ordered; of listeners with the second nothing is forwarded.
    const missing = ALL.map(({ name }) => name).filter((name) => !policies.some((one) => one.name === name));
    assert.deepEqual(missing, ['acme-challenge', 'redirect-to-https']);
  });
});
