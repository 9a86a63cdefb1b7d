// Look-ups against a DNS server in this process: sets, TTLs, failures and forged answers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { systemTimers } from '../../../../core/timers.ts';
import { DnsResolver } from '../../../../discovery/dns/dns-resolver.ts';
import { lookUp, type LookupSettings } from '../../../../discovery/dns/endpoint-lookup.ts';
import { addressesInHosts, candidatesOf, parseResolvConf } from '../../../../discovery/dns/resolver-settings.ts';
import { idOf } from '../../../../discovery/source.ts';
import { responseBytes, startDnsServer } from '../../../support/dns-server.ts';

const SETTINGS: LookupSettings = {
  name: 'api.test',
  port: 3000,
  type: 'A+AAAA',
  protocol: 'http',
  weight: 1,
  backup: false,
  zone: '',
};

async function begin(
  t: TestContext,
  more: { readonly ports?: readonly number[]; readonly search?: readonly string[] } = {},
) {
  const server = await startDnsServer(t);
  const servers = [...(more.ports ?? []), server.port].map((port) => ({ host: '127.0.0.1', port }));
  const resolver = new DnsResolver({ servers, search: more.search ?? [], ndots: 1 }, systemTimers);
  t.after(() => resolver.stop());
  const found = async (settings: Partial<LookupSettings> = {}, hosts = ''): Promise<string> => {
    const outcome = await lookUp({ ...SETTINGS, ...settings }, resolver, hosts);
    if (!outcome.ok) return outcome.cause;
    const words = outcome.endpoints.map((one) => `${idOf(one)}${one.backup ? ' backup' : ''} ${one.weight}`);
    return `${words.join(', ')}; ${outcome.ttlMs / 1000} s`;
  };
  return { server, zone: server.zone, found };
}

const NO_DATA = { authority: ['test 300 SOA 1 2 3 4 20'] };

describe('a look-up', () => {
  test('has all addresses of both families, and the least TTL', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 60 A 10.0.0.1', 'api.test 30 A 10.0.0.2'] });
    zone.set('api.test AAAA', { answers: ['api.test 45 AAAA 2001:db8::1'] });
    assert.equal(await found(), '10.0.0.1:3000 1, 10.0.0.2:3000 1, [2001:db8::1]:3000 1; 30 s');
    assert.equal(await found({ type: 'AAAA' }), '[2001:db8::1]:3000 1; 45 s');
  });

  test('of a name with one family looks again when the other may exist', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 60 A 10.0.0.1'] });
    zone.set('api.test AAAA', NO_DATA);
    assert.equal(await found(), '10.0.0.1:3000 1; 20 s');
  });

  test('fails as a whole where one family fails', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 60 A 10.0.0.1'] });
    zone.set('api.test AAAA', { code: 2 });
    assert.match(await found(), /^server 127\.0\.0\.1 answers SERVFAIL for api\.test AAAA$/);
  });

  test('fails for a name that does not exist, and for one without addresses', async (t) => {
    const { zone, found } = await begin(t);
    assert.equal(await found(), "api.test doesn't exist (NXDOMAIN)");
    zone.set('api.test A', NO_DATA);
    assert.equal(await found(), 'api.test has no address');
  });

  test('follows CNAMEs within an answer and over several', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 9 CNAME b.test', 'b.test 60 CNAME c.test'] });
    zone.set('c.test A', { answers: ['c.test 60 A 10.0.0.3'] });
    assert.equal(await found({ type: 'A' }), '10.0.0.3:3000 1; 9 s');
  });

  test('fails where CNAMEs form a loop, in one answer or over several', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 9 CNAME b.test', 'b.test 9 CNAME api.test'] });
    assert.equal(await found({ type: 'A' }), 'the CNAMEs of api.test form a loop');
    zone.set('api.test A', { answers: ['api.test 9 CNAME b.test'] });
    zone.set('b.test A', { answers: ['b.test 9 CNAME api.test'] });
    assert.match(await found({ type: 'A' }), /lead to more than 16 names/);
  });

  test('ignores records of other names in the answer', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('api.test A', { answers: ['api.test 9 A 10.0.0.1', 'evil.test 9 A 10.6.6.6'] });
    assert.equal(await found({ type: 'A' }), '10.0.0.1:3000 1; 9 s');
  });

  test('takes a truncated answer over TCP', async (t) => {
    const { server, zone, found } = await begin(t);
    const answers = Array.from({ length: 1_000 }, (_, at) => `api.test 60 A 10.0.${at >> 8}.${at & 255}`);
    zone.set('api.test A', { isTruncated: true, answers });
    assert.equal((await found({ type: 'A' })).split(', ').length, 1_000);
    assert.deepEqual(server.asked, ['api.test A', 'tcp api.test A']);
  });

  test('asks the next server where one refuses or fails', async (t) => {
    const failing = await startDnsServer(t);
    failing.zone.set('api.test A', { code: 5 });
    const { zone, found } = await begin(t, { ports: [1, failing.port] });
    zone.set('api.test A', { answers: ['api.test 60 A 10.0.0.1'] });
    assert.equal(await found({ type: 'A' }), '10.0.0.1:3000 1; 60 s');
  });

  test('tries search domains', async (t) => {
    const { server, zone, found } = await begin(t, { search: ['one.test', 'two.test'] });
    zone.set('api.two.test A', { answers: ['api.two.test 60 A 10.0.0.1'] });
    assert.equal(await found({ name: 'api', type: 'A' }), '10.0.0.1:3000 1; 60 s');
    assert.deepEqual(server.asked, ['api.one.test A', 'api.two.test A']);
  });

  test('prefers /etc/hosts', async (t) => {
    const { server, found } = await begin(t);
    const hosts = '127.0.0.7 other api.test # comment\n::7 API.TEST\n';
    assert.equal(await found({}, hosts), '127.0.0.7:3000 1, [::7]:3000 1; Infinity s');
    assert.deepEqual(server.asked, []);
  });
});

describe('a look-up of SRV records', () => {
  const SRV = { type: 'SRV', name: '_http._tcp.api.test', port: 0 } as const;

  test('has ports and weights, and backups of lower priorities', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('_http._tcp.api.test SRV', {
      answers: [
        '_http._tcp.api.test 60 SRV 10 5 3001 a.test',
        '_http._tcp.api.test 60 SRV 10 0 3002 a.test',
        '_http._tcp.api.test 60 SRV 20 7 3003 b.test',
      ],
      additional: ['a.test 30 A 10.0.0.1'],
    });
    zone.set('b.test A', { answers: ['b.test 15 A 10.0.0.2'] });
    zone.set('b.test AAAA', NO_DATA);
    assert.equal(await found(SRV), '10.0.0.1:3001 5, 10.0.0.1:3002 1, 10.0.0.2:3003 backup 7; 15 s');
  });

  test('scales weights above 256', async (t) => {
    const { zone, found } = await begin(t);
    const answers = ['65535 3001', '32768 3002', '1 3003'].map(
      (words) => `_http._tcp.api.test 60 SRV 1 ${words} a.test`,
    );
    zone.set('_http._tcp.api.test SRV', { answers, additional: ['a.test 60 A 10.0.0.1'] });
    assert.equal(await found(SRV), '10.0.0.1:3001 256, 10.0.0.1:3002 128, 10.0.0.1:3003 1; 60 s');
  });

  test('fails where a target does not resolve, and where there is no service', async (t) => {
    const { zone, found } = await begin(t);
    zone.set('_http._tcp.api.test SRV', {
      answers: ['_http._tcp.api.test 60 SRV 1 1 80 a.test', '_http._tcp.api.test 60 SRV 1 1 80 b.test'],
      additional: ['a.test 60 A 10.0.0.1'],
    });
    assert.match(await found(SRV), /^b\.test\. doesn't exist/);
    zone.set('_http._tcp.api.test SRV', { answers: ['_http._tcp.api.test 60 SRV 0 0 0 .'] });
    assert.match(await found(SRV), /has no service/);
  });
});

describe('a forged answer', () => {
  test('with a wrong id, name or type is ignored, and the true one taken', async (t) => {
    const { server, zone, found } = await begin(t);
    const evil = { answers: ['api.test 9 A 10.6.6.6'] };
    server.forge = (id, name, type) => [
      responseBytes(id ^ 1, name, type, evil),
      responseBytes(id, 'evil.test', type, evil),
      responseBytes(id, name, 'AAAA', evil),
      Uint8Array.from([1, 2, 3]),
    ];
    zone.set('api.test A', { answers: ['api.test 60 A 10.0.0.1'] });
    assert.equal(await found({ type: 'A' }), '10.0.0.1:3000 1; 60 s');
  });
});

describe('the system settings', () => {
  test('have servers, search domains and options', () => {
    const text =
      '# comment\nnameserver 10.0.0.53\nnameserver bad\nnameserver ::1\nsearch a.test b.test.\noptions ndots:5 timeout:2\n';
    assert.deepEqual(parseResolvConf(text), {
      servers: [
        { host: '10.0.0.53', port: 53 },
        { host: '::1', port: 53 },
      ],
      search: ['a.test', 'b.test'],
      ndots: 5,
    });
    assert.deepEqual(parseResolvConf('').servers, [{ host: '127.0.0.1', port: 53 }]);
  });

  test('order the candidates of a name by its dots', () => {
    const settings = { servers: [], search: ['x.test'], ndots: 2 };
    assert.deepEqual(candidatesOf('api', settings), ['api.x.test', 'api']);
    assert.deepEqual(candidatesOf('a.b.c', settings), ['a.b.c', 'a.b.c.x.test']);
    assert.deepEqual(candidatesOf('a.b.', settings), ['a.b']);
  });

  test('have names in hosts', () => {
    assert.deepEqual(addressesInHosts('10.0.0.1 api\n10.0.0.2 api api2\nbad api\n#10.0.0.3 api', 'api'), [
      '10.0.0.1',
      '10.0.0.2',
    ]);
  });
});
