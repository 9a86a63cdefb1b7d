// The file of `fairlead init`: every combination of answers is a configuration without problems. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initFile } from '../../../../../bin/commands/init/init-file.ts';
import { askAnswers, type Dialogue, type GivenAnswers } from '../../../../../bin/commands/init/init-questions.ts';
import { invalidOption, quickConfig, urlOf } from '../../../../../bin/commands/quick/quick.ts';
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

/** Answers the questions in order, and records them with the complaints. */
function dialogueOf(answers: string[]) {
  const asked: string[] = [];
  const complaints: string[] = [];
  const dialogue: Dialogue = {
    ask: async (question) => {
      asked.push(question);
      return answers.shift()!;
    },
    complain: (message) => void complaints.push(message),
    errorsOf: (given) => {
      const loaded = load(initFile(given));
      return loaded.ok ? [] : loaded.problems.map(({ message }) => message);
    },
  };
  return { dialogue, asked, complaints };
}

describe('the questions of init', () => {
  test('ask for what the options leave open, the endpoints until there is one', async () => {
    const { dialogue, asked, complaints } = dialogueOf([
      '',
      'http://a:1, http://b:2',
      'shop.example.com',
      '/healthz',
      TLS.cert,
      TLS.key,
    ]);
    assert.deepEqual(await askAnswers(NOTHING, dialogue), {
      upstreams: ['http://a:1', 'http://b:2'],
      domains: ['shop.example.com'],
      health: '/healthz',
      tls: TLS,
      listen: null,
    });
    assert.equal(asked.length, 6);
    assert.match(complaints.join(), /at least one URL/);
  });

  test('ask again for an answer that check would refuse, and say why', async () => {
    const { dialogue, asked, complaints } = dialogueOf([
      'localhost:3000',
      'http://localhost:3000',
      'a b/c',
      '',
      'healthz',
      '/healthz',
      '/no/such.pem',
      '',
      '/no/such.key',
      TLS.cert,
      TLS.key,
    ]);
    const { upstreams, domains, health, tls } = await askAnswers(NOTHING, dialogue);
    assert.deepEqual(
      { upstreams, domains, health, tls },
      {
        upstreams: ['http://localhost:3000'],
        domains: [],
        health: '/healthz',
        tls: TLS,
      },
    );
    assert.equal(asked.length, 11);
    const said = complaints.join('\n');
    assert.match(said, /"localhost:3000" is not an endpoint URL.*did you mean http:\/\/localhost:3000\?/);
    assert.match(said, /"b\/c" is not a host pattern/);
    assert.match(said, /"healthz" is not a path/);
    assert.match(said, /TLS needs the private key too/);
    assert.match(said, /no\/such\.pem/);
  });

  test('do not ask for the key without a certificate, nor for what was given', async () => {
    const given = { ...NOTHING, upstreams: ['http://a:1'], domains: ['a.example'], health: '/' };
    const { dialogue, asked } = dialogueOf(['']);
    assert.equal((await askAnswers(given, dialogue)).tls, null);
    assert.equal(asked.length, 1);
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

test('quick names a URL to open', () => {
  assert.deepEqual(['[::]:8080', '0.0.0.0:80', '127.0.0.1:3000', '[::1]:80', 'unix:/run/a.sock'].map(urlOf), [
    'http://localhost:8080/',
    'http://localhost:80/',
    'http://127.0.0.1:3000/',
    'http://[::1]:80/',
    'unix:/run/a.sock',
  ]);
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
