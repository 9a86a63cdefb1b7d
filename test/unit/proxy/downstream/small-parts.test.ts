// The small parts of the clients' side: sweeps, quotas, addresses, certificates by name, raw replies, trailers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import type { BindAddress } from '../../../../core/snapshot/listener.ts';
import { formatBindAddress } from '../../../../net/host-port.ts';
import { isShared, ListenError } from '../../../../proxy/downstream/accept/listen-address.ts';
import { passableTrailers } from '../../../../proxy/downstream/node/field-list.ts';
import { rawReply } from '../../../../proxy/downstream/node/node-http1-connection.ts';
import { jittered } from '../../../../proxy/downstream/accept/connection-ledger.ts';
import { Sweeper } from '../../../../proxy/downstream/accept/sweeper.ts';
import { TicketKeyring } from '../../../../proxy/downstream/accept/ticket-keyring.ts';
import { TlsServers } from '../../../../proxy/downstream/accept/tls-servers.ts';
import { listenerSnapshot } from '../../../support/snapshots.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

describe('Sweeper', () => {
  test('looks at everything at each interval, and sets no timer where there is nothing', () => {
    const clock = new FakeClock();
    const sweeper = new Sweeper(clock, clock, 250);
    assert.equal(clock.pendingCount, 0);
    const seen: number[] = [];
    const swept = { sweep: (nowMs: number) => void seen.push(nowMs) };
    sweeper.add(swept);
    sweeper.add({ sweep: () => undefined });
    assert.equal(clock.pendingCount, 1);
    clock.advance(600);
    assert.deepEqual(seen, [250, 500]);
    sweeper.delete(swept);
    clock.advance(600);
    assert.deepEqual(seen, [250, 500]);
  });

  test('one may take itself out while it is looked at', () => {
    const clock = new FakeClock();
    const sweeper = new Sweeper(clock, clock, 250);
    const swept = { sweep: () => sweeper.delete(swept) };
    sweeper.add(swept);
    clock.advance(1000);
    assert.equal(clock.pendingCount, 0);
  });
});

describe('jittered', () => {
  test('takes up to a tenth off a limit, and leaves no limit alone', () => {
    const random = seededRandom(7);
    const limits = Array.from({ length: 1000 }, () => jittered(1000, random));
    assert.ok(Math.min(...limits) >= 900 && Math.max(...limits) <= 1000);
    assert.ok(Math.min(...limits) < 910 && Math.max(...limits) > 990);
    assert.equal(jittered(0, random), Number.POSITIVE_INFINITY);
    assert.equal(jittered(1, random), 1);
  });
});

describe('bind addresses', () => {
  const tcp = (host: string, port: number): BindAddress => ({ kind: 'tcp', host, port });

  test('are written as in the configuration', () => {
    assert.equal(formatBindAddress(tcp('0.0.0.0', 80)), '0.0.0.0:80');
    assert.equal(formatBindAddress(tcp('::1', 80)), '[::1]:80');
    assert.equal(formatBindAddress({ kind: 'unix', path: '/run/x.sock' }), 'unix:/run/x.sock');
    assert.equal(formatBindAddress({ kind: 'fd', fd: 3 }), 'fd:3');
  });

  test('are shared by workers only where the kernel spreads connections', () => {
    assert.equal(isShared(tcp('a', 1), 'linux'), true);
    assert.equal(isShared(tcp('a', 1), 'darwin'), false);
    assert.equal(isShared({ kind: 'unix', path: '/x' }, 'linux'), false);
    assert.equal(isShared({ kind: 'fd', fd: 3 }, 'linux'), false);
  });

  for (const [code, bind, message] of [
    ['EACCES', tcp('0.0.0.0', 80), /no permission to listen on 0\.0\.0\.0:80; ports below 1024 need .* \(EACCES\)$/],
    ['EACCES', tcp('0.0.0.0', 8080), /no permission to listen on 0\.0\.0\.0:8080 \(EACCES\)$/],
    ['EACCES', { kind: 'unix', path: '/x' }, /no permission to listen on unix:\/x; its directory must be writable/],
    ['EADDRINUSE', tcp('::', 443), /something else listens on \[::\]:443 \(EADDRINUSE\)$/],
    ['ENOTFOUND', tcp('nowhere', 1), /the host of nowhere:1 has no address/],
    ['EMFILE', tcp('a', 1), /listening on a:1 failed \(EMFILE\)$/],
  ] as const) {
    test(`${code} at ${formatBindAddress(bind)} says what helps`, () => {
      const error = new ListenError('web', bind, Object.assign(new Error('cause'), { code }));
      assert.match(error.message, message);
      assert.deepEqual([error.listener, error.address], ['web', formatBindAddress(bind)]);
    });
  }
});

describe('TlsServers', () => {
  test('an exact name goes before a wildcard, a wildcard stands for one label, the first for all others', () => {
    const names = [['first.test'], ['*.wild.test'], ['A.wild.test', 'other.test'], ['other.test']];
    const certificates = names.map((own) => ({
      ...testCertificate(own.map((name) => name.toLowerCase())),
      names: own,
    }));
    const tls = { certificates, minVersion: 'TLSv1.2', http2: true } as const;
    const servers = new TlsServers(listenerSnapshot({ tls }), new TicketKeyring(), () => undefined);
    const found = (name: string) => servers.certificatesFor(name).map((one) => certificates.indexOf(one as never));
    assert.deepEqual(['first.test', 'x.wild.test', 'a.wild.test', 'other.test'].flatMap(found), [0, 1, 2, 2]);
    for (const name of ['wild.test', 'x.y.wild.test', '', '.test', 'nothing']) assert.deepEqual(found(name), [0], name);
    assert.equal(servers.needsHello, true);
  });
});

describe('rawReply', () => {
  test('is a whole response that ends its connection', () => {
    const body = Buffer.from('what\n');
    const fields = ['Content-Type', 'text/plain'];
    const bytes = rawReply({ status: 400, reason: 'Bad Request', fields, body, mustClose: true }, 0);
    assert.equal(
      bytes.toString('latin1'),
      'HTTP/1.1 400 Bad Request\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n' +
        'Connection: close\r\nContent-Length: 5\r\n\r\nwhat\n',
    );
  });
});

describe('passableTrailers', () => {
  test('are those that may come late', () => {
    assert.deepEqual(passableTrailers(['X-Sum', '1', 'Host', 'b', 'Content-Length', '9', 'x-sum', '2'], 10), [
      'X-Sum',
      '1',
      'x-sum',
      '2',
    ]);
    assert.equal(passableTrailers(['Authorization', 'x'], 10), null);
    assert.equal(passableTrailers([], 10), null);
    assert.equal(passableTrailers(['a', '1', 'b', '2'], 1), null);
  });
});
