// Printed configurations: round trip, redaction, defaults. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { type LoadedConfig, loadConfigText } from '../../../../config/load.ts';
import { printedConfig } from '../../../../config/yaml/printed-config.ts';
import { privateCertificates } from '../../../support/private-certificates.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const EXAMPLES = path.join(ROOT, 'examples');

/** A time at which the certificates are valid. */
const WALL_MS = Date.UTC(2030, 0, 1);

/** Every variable that the examples use. */
const ENVIRONMENT = {
  CERT_DIR: path.join(privateCertificates(), 'certificates'),
  STATE_DIR: tmpdir(),
  STICKY_SECRET: 'sticky-secret-0123',
  OLD_STICKY_SECRET: 'older-secret-012345',
  ADMIN_TOKEN: 'admin-token-0123456',
  ONCALL_TOKEN: 'oncall-token-012345',
  OTLP_TOKEN: 'otlp-token-0123456',
  FAIRLEAD_DEMO_APP_1: '3001',
  FAIRLEAD_DEMO_APP_2: '3002',
  FAIRLEAD_DEMO_APP_3: '3003',
  FAIRLEAD_DEMO_CANARY: '3004',
};

function load(text: string, environment: Readonly<Record<string, string>> = ENVIRONMENT): LoadedConfig {
  const loaded = loadConfigText(text, { file: 'fairlead.yaml', directory: EXAMPLES, environment, wallMs: WALL_MS });
  assert.ok(loaded.ok, loaded.ok ? '' : JSON.stringify(loaded.problems, null, 1));
  return loaded.config;
}

function snapshotOf(config: LoadedConfig) {
  return compile(config, newTables({ endpoints: 64, upstreams: 16, listeners: 16 }), 1);
}

const SMALL = `
x-common: &common { retry: { attempts: 2 }, timeouts: { connect: 1s } }
workers: \${WORKERS}
listeners: [{ name: web, bind: "127.0.0.1:\${PORT:-8080}" }]
routes:
  - match: { header: { x-a: "\${QUOTED}", x-b: "yes", x-c: "010" } }
    upstream: app
    requestHeaders: { set: { x-price: "$$5 $\${NOT} $", x-empty: "", x-long: "# no: comment" } }
  - { upstream: app }
upstreams:
  app:
    <<: *common
    endpoints: [http://127.0.0.1:3000]
    sticky: { cookie: lb, secret: "\${SECRET}" }
  other: { <<: *common, endpoints: [http://127.0.0.1:3001] }
`;
const VARIABLES = { WORKERS: '3', QUOTED: '7', SECRET: 'a secret of $${many} words' };

describe('a configuration printed without redaction', () => {
  test('loads to the same Snapshot', () => {
    const config = load(SMALL, VARIABLES);
    for (const hasDefaults of [false, true]) {
      const printed = printedConfig(config, { isRedacted: false, hasDefaults });
      assert.deepEqual(snapshotOf(load(printed, {})), snapshotOf(config));
      assert.doesNotMatch(printed, /[&*]common|<<|x-common/);
    }
  });

  for (const name of readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'))) {
    test(`loads to the same Snapshot: examples/${name}, also with its defaults`, () => {
      const config = load(readFileSync(path.join(EXAMPLES, name), 'utf8').replaceAll('/var/log/fairlead', tmpdir()));
      for (const hasDefaults of [false, true]) {
        const printed = printedConfig(config, { isRedacted: false, hasDefaults });
        assert.deepEqual(snapshotOf(load(printed, {})), snapshotOf(config), printed);
      }
    });
  }

  test('gives the same text when printed again', () => {
    const printed = printedConfig(load(SMALL, VARIABLES), { isRedacted: false, hasDefaults: true });
    assert.equal(printedConfig(load(printed, {}), { isRedacted: false, hasDefaults: true }), printed);
  });
});

describe('a printed configuration', () => {
  test('has no secrets with redaction, and variables by name', () => {
    const config = load(SMALL.replace('"${SECRET}"', 'a secret of mine 123'), VARIABLES);
    const printed = printedConfig(config, { isRedacted: true, hasDefaults: false });
    assert.doesNotMatch(printed, /of mine/);
    assert.match(printed, /^workers: \$\{WORKERS\}$/m);
    assert.match(printed, /secret: <hidden>/);
    assert.match(printedConfig(load(SMALL, VARIABLES), { isRedacted: true, hasDefaults: true }), /\$\{SECRET\}/);
  });

  test('with defaults includes omitted keys in the units of the reference', () => {
    const printed = printedConfig(load(SMALL, VARIABLES), { isRedacted: false, hasDefaults: true });
    assert.match(printed, /^fastPath: true$/m);
    assert.match(printed, /^ +response: 60s$/m);
  });
});
