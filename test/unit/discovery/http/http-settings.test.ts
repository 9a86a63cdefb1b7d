// Options that sources over HTTP share: addresses, TLS and tokens. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { optionSchemas } from '../../../../config/schema/schema-values.ts';
import {
  accessOptions,
  checkAccess,
  compileAccess,
  describeAddress,
  parseHttpAddress,
  tokenNow,
} from '../../../../discovery/http/http-settings.ts';
import { sourceContext } from '../../../support/discovery-server.ts';

function addressOf(text: string) {
  const parsed = parseHttpAddress(text, 8500);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

describe('the address of a server', () => {
  const accepted: Readonly<Record<string, string>> = {
    'http://127.0.0.1': 'http://127.0.0.1:8500',
    'http://127.0.0.1:80/': 'http://127.0.0.1:80',
    'https://Consul.test/base/': 'https://consul.test:8500/base',
    'https://consul.test:443': 'https://consul.test:443',
    'http://[::1]:81': 'http://[::1]:81',
    'unix:/run/docker.sock': 'unix:/run/docker.sock',
    'unix:///run/docker.sock': 'unix:/run/docker.sock',
  };
  for (const [text, described] of Object.entries(accepted)) {
    test(`${text} is ${described}`, () => assert.equal(describeAddress(addressOf(text)), described));
  }

  const refused: Readonly<Record<string, RegExp>> = {
    'consul:8500': /not the address of a server/,
    '127.0.0.1:8500': /not the address of a server/,
    'ftp://consul': /not the address of a server/,
    'http://consul?x=1': /not the address of a server/,
    'http://user:secret@consul': /^the URL contains credentials, which would be logged/,
    'http://consul:0': /port 0/,
    'unix:run/docker.sock': /not the path of a Unix socket/,
    '': /not the address of a server/,
  };
  for (const [text, message] of Object.entries(refused)) {
    test(`${JSON.stringify(text)} is refused`, () => {
      const parsed = parseHttpAddress(text, 8500);
      assert.match(parsed.ok ? '' : parsed.message, message);
    });
  }
});

describe('access to a server', () => {
  const schema = z.strictObject(accessOptions(optionSchemas));
  const problemsOf = (given: object, url = 'https://a.test') =>
    checkAccess(schema.parse(given), [addressOf(url)]).map(({ message }) => message);

  test('has options that are checked against each other', () => {
    assert.deepEqual(problemsOf({ token: 'abc', tls: { ca: 'ca.pem', cert: 'c.pem', key: 'k.pem' } }), []);
    assert.deepEqual(problemsOf({ token: 'abc', tokenFile: 't' }), ['"token" and "tokenFile" exclude each other']);
    assert.deepEqual(problemsOf({ tls: { cert: 'c.pem' } }), ['"cert" and "key" belong together']);
    assert.deepEqual(problemsOf({ tls: {} }, 'http://a.test'), ['"tls" has no effect without an https address']);
    assert.throws(() => schema.parse({ token: 'a b' }));
    assert.throws(() => schema.parse({ token: 'a\r\nx: y' }));
  });

  test('has absolute paths, and its token below a key that is never shown', () => {
    const { tls, token } = compileAccess(schema.parse({ token: 'abc', tls: { ca: 'ca.pem' } }), '/etc/fairlead');
    assert.deepEqual(tls.ca, ['/etc/fairlead/ca.pem']);
    assert.deepEqual(token, { secrets: { token: 'abc' }, tokenFile: '' });
  });

  test('reads a token file at each use', () => {
    const content: Record<string, string> = { '/etc/t': ' first\n' };
    const { files } = sourceContext(content);
    const { token } = compileAccess({ tokenFile: 't' }, '/etc');
    assert.deepEqual(tokenNow(token, files), { ok: true, value: 'first' });
    content['/etc/t'] = 'two tokens';
    const malformed = tokenNow(token, files);
    assert.match(malformed.ok ? '' : malformed.message, /^the file \/etc\/t is malformed: an access token has/);
    delete content['/etc/t'];
    assert.deepEqual(tokenNow(token, files), { ok: false, message: 'the file /etc/t is missing' });
    assert.deepEqual(tokenNow(compileAccess({}, '/etc').token, files), { ok: true, value: '' });
  });
});
