// The file of `fairlead init`: every combination of answers is a configuration without problems. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initFile } from '../../../../../bin/commands/init/init-file.ts';
import { askAnswers, type GivenAnswers } from '../../../../../bin/commands/init/init-questions.ts';
import { invalidOption, quickConfig } from '../../../../../bin/commands/quick/quick.ts';
import { loadConfigText } from '../../../../../config/load.ts';
import { formatProblem } from '../../../../../config/problems/problem.ts';
import { privateCertificates } from '../../../../support/private-certificates.ts';
import path from 'node:path';

const FOLDER = path.join(privateCertificates(), 'certificates');
const TLS = { cert: path.join(FOLDER, 'shop.example.com.pem'), key: path.join(FOLDER, 'shop.example.com.key') };
const NOTHING: GivenAnswers = {
  upstreams: [],
  domains: [],
  cert: undefined,
  key: undefined,
  health: undefined,
  listen: undefined,
};

function load(text: string) {
  return loadConfigText(text, { file: 'x', directory: FOLDER, environment: {}, wallMs: Date.UTC(2030, 0, 1) });
}

function settingsOf(text: string) {
  const loaded = load(text);
  assert.deepEqual((loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem), []);
  assert.ok(loaded.ok);
  return loaded.config.settings;
}

describe('the file of init', () => {
  for (const tls of [null, TLS]) {
    for (const domains of [[], ['shop.example.com', '*.shop.example.com']]) {
      for (const health of [null, '/healthz?deep=1']) {
        for (const upstreams of [['http://127.0.0.1:3000'], ['https://a.internal', 'unix:/run/app.sock']]) {
          test(`passes check: ${JSON.stringify({ tls: tls !== null, domains, health, upstreams })}`, () => {
            const settings = settingsOf(initFile({ tls, domains, health, upstreams, listen: null }));
            assert.equal(settings.upstreams['app']!.endpoints.length, upstreams.length);
            assert.equal(settings.listeners[0]!.tls !== undefined, tls !== null);
          });
        }
      }
    }
  }

  test('the comment on the bind address is true of it', () => {
    for (const [listen, isAll] of [
      [null, true],
      ['0.0.0.0:80', true],
      ['[::]:80', true],
      ['127.0.0.1:8080', false],
      ['unix:/run/a.sock', false],
    ] as const) {
      const written = initFile({ upstreams: ['http://a:1'], domains: [], tls: null, health: null, listen });
      assert.equal(written.includes('# all addresses of the machine'), isAll, listen ?? 'default');
    }
  });

  test('answers add neither structure nor variables', () => {
    const odd = '/a"}\n  x: ${HOME} # $$';
    const text = initFile({ upstreams: ['http://a:1'], domains: [], tls: null, health: odd, listen: null });
    const loaded = load(text);
    const messages = loaded.ok ? [] : loaded.problems.map(({ path: key }) => key);
    assert.deepEqual(messages, ['upstreams.app.health.heartbeat.path']);
  });
});

describe('the questions of init', () => {
  test('ask for what the options leave open, the endpoints until there is one', async () => {
    const asked: string[] = [];
    const answers = ['', 'http://a:1, http://b:2', 'shop.example.com', '/healthz', TLS.cert, TLS.key];
    const found = await askAnswers(NOTHING, async (question) => {
      asked.push(question);
      return answers.shift()!;
    });
    assert.deepEqual(found, {
      upstreams: ['http://a:1', 'http://b:2'],
      domains: ['shop.example.com'],
      health: '/healthz',
      tls: TLS,
      listen: null,
    });
    assert.equal(asked.length, 6);
  });

  test('do not ask for the key without a certificate, nor for what was given', async () => {
    const given = { ...NOTHING, upstreams: ['http://a:1'], domains: ['a.example'], health: '/' };
    const found = await askAnswers(given, async () => '');
    assert.equal(found.tls, null);
  });
});

describe('the configuration of quick', () => {
  test('has every endpoint, and heartbeats that connect where no path is given', () => {
    const to = ['http://127.0.0.1:3000', 'http://127.0.0.1:3001'];
    const settings = settingsOf(quickConfig({ listen: ':8080', to, adminPort: '9900' }));
    const { endpoints, health } = settings.upstreams['app']!;
    assert.equal(endpoints.length, 2);
    assert.ok(health.heartbeat !== false && health.heartbeat?.type === 'tcp');
    assert.equal(settingsOf(quickConfig({ listen: ':8080', to, adminPort: 'none' })).admin, undefined);
  });
});

describe('quick refuses', () => {
  const valid = { listen: ':8080', to: ['http://a:1'], adminPort: '9900' };
  for (const { options, message } of [
    { options: { to: [] }, message: /needs an endpoint: --to http/ },
    { options: { to: ['localhost:3000'] }, message: /--to: .*did you mean http:\/\/localhost:3000\?/ },
    { options: { listen: '8080' }, message: /--listen: .*did you mean :8080\?/ },
    { options: { adminPort: 'x' }, message: /--admin-port takes a port/ },
    { options: { adminPort: '65536' }, message: /--admin-port takes a port/ },
  ]) {
    test(JSON.stringify(options), () => assert.match(invalidOption({ ...valid, ...options }) ?? '', message));
  }

  test('nothing that is valid', () => assert.equal(invalidOption(valid), null));
});
