// Certificates over their life, and what goes wrong in it: renewal, two processes on one storage, crashes, full disks, and
// a CA that refuses, limits and forgets. Against Pebble, with a front that adds what it never does. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test, type TestContext } from 'node:test';
import { CertificateStorage } from '../../../control/certificates/certificate-storage.ts';
import { newPrivateKey, pemOfKey } from '../../../control/certificates/x509.ts';
import { systemTimers } from '../../../core/timers.ts';
import { readHttpAnswer } from '../../../net/acme-challenges.ts';
import { AcmeFront, challengeServer } from '../../support/acme-front.ts';
import { testCertificate } from '../../support/certificates.ts';
import { CertificateSite, type SiteOptions } from '../../support/certificate-site.ts';
import { eventually } from '../../support/fairlead.ts';
import { findPeer } from '../../support/peers.ts';
import { freePorts } from '../../../scripts/peers/free-port.ts';
import { Pebble } from '../../support/pebble.ts';

const DAY_MS = 86_400_000;
const isMissing = findPeer('pebble') === undefined && process.env['CI'] === undefined;

let pebble: Pebble;
let front: AcmeFront;
let challenges: Server;
let storage = '';
let isReachable = true;

function siteOf(t: TestContext, names: readonly string[], parts: Partial<SiteOptions> = {}): CertificateSite {
  const { directory } = front;
  const site = new CertificateSite({ names, storage, directory, trusted: pebble.trustedFile, ...parts });
  t.after(() => site.stop());
  return site;
}

/** A folder of the storage for one CA. */
function certificates(): string {
  const root = join(storage, 'certificates');
  return join(root, readdirSync(root)[0] ?? '');
}

describe('automatic certificates', { skip: isMissing && 'pebble is not installed (scripts/install-peers.sh)' }, () => {
  before(async () => {
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    pebble = await Pebble.start({
      httpPort,
      tlsPort,
      chaos: { PEBBLE_WFE_NONCEREJECT: '15', PEBBLE_AUTHZREUSE: '50' },
    });
    challenges = await challengeServer(httpPort, (token) =>
      isReachable ? readHttpAnswer(storage, token) : Promise.resolve(null),
    );
  });

  after(async () => {
    challenges.close();
    await pebble.stop();
  });

  beforeEach(async () => {
    storage = mkdtempSync(join(tmpdir(), 'fairlead-certificates-'));
    isReachable = true;
    front = await new AcmeFront(pebble).start();
  });

  afterEach(async () => {
    await front.stop();
    rmSync(storage, { recursive: true, force: true });
  });

  test('two processes on one storage order each certificate once', async (t) => {
    const names = ['a.example.com', 'b.example.com', 'c.example.com'];
    const [one, other] = [siteOf(t, names), siteOf(t, names)];
    await Promise.all([one.start(), other.start()]);
    await eventually(() => one.has(names) && other.has(names), 'certificates in both');
    assert.deepEqual(one.serials(), other.serials());
    assert.equal(ordered(one) + ordered(other), 3);
  });

  test('two processes renew a certificate once, at two thirds of its validity', async (t) => {
    const [one, other] = [siteOf(t, ['renewed.example.com']), siteOf(t, ['renewed.example.com'])];
    await Promise.all([one.start(), other.start()]);
    await eventually(
      () => one.has(['renewed.example.com']) && other.has(['renewed.example.com']),
      'certificates in both',
    );
    const [first] = one.serials();
    const lifeMs = one.validityMs('renewed.example.com');
    for (const site of [one, other]) site.skewMs = lifeMs * 0.62;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(one.serials(), [first], 'not yet due');
    front.intercept = ({ payload }) => {
      // The new certificate begins now: it would be due again.
      if (payload?.['identifiers'] !== undefined) for (const site of [one, other]) site.skewMs = 0;
      return undefined;
    };
    for (const site of [one, other]) site.skewMs = lifeMs * 0.67;
    await eventually(() => one.serials()[0] !== first && other.serials()[0] !== first, 'renewal in both');
    assert.deepEqual(one.serials(), other.serials());
    assert.equal(ordered(one) + ordered(other), 2);
  });

  test('a process that is killed in the middle of an order leaves nothing that the next one has to wait for or repeat', async (t) => {
    const script = join(import.meta.dirname, '../../support/certificate-site.ts');
    const options = { names: ['killed.example.com'], storage, directory: front.directory, trusted: pebble.trustedFile };
    const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: 'inherit' });
    t.after(() => child.kill('SIGKILL'));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    front.intercept = async ({ payload }) => {
      if (payload?.['csr'] === undefined) return undefined;
      front.intercept = () => undefined;
      child.kill('SIGKILL');
      await gone;
      return undefined;
    };
    await gone;
    assert.deepEqual(readdirSync(certificates()).toSorted(), ['killed.example.com.lock', 'killed.example.com.order']);
    const before = front.requests.length;
    const next = siteOf(t, ['killed.example.com']);
    await next.start();
    await eventually(() => next.has(['killed.example.com']), 'certificate');
    const since = front.requests.slice(before);
    assert.equal(
      since.filter(({ payload }) => payload?.['identifiers'] !== undefined).length,
      0,
      'the order is resumed',
    );
    const files = 'killed.example.com.json killed.example.com.pem';
    await eventually(() => readdirSync(certificates()).toSorted().join(' ') === files, 'no order, lock or draft');
  });

  test('an order that the CA has declared invalid without a reason, or whose certificate cannot be used, is resumed once only', async (t) => {
    const expired = testCertificate(['other.example.com']).cert;
    const stored = new CertificateStorage(storage, systemTimers);
    front.texts.set('/expired', expired);
    for (const [name, value] of [
      ['invalid.example.com', { status: 'invalid' }],
      ['unusable.example.com', { status: 'valid', certificate: `${front.url}/expired` }],
    ] as const) {
      const key = pemOfKey(await newPrivateKey('ecdsa'));
      const identity = { directory: front.directory, name, keyType: 'ecdsa' as const };
      await stored.writeOrder(identity, { url: `${front.url}/stored-order`, key });
      front.intercept = ({ path }) => (path === '/stored-order' ? { status: 200, body: value } : undefined);
      const site = siteOf(t, [name]);
      await site.start();
      await eventually(() => site.view(name).failures > 0 || site.has([name]), 'an outcome');
      site.skewMs = 6 * 60_000;
      await eventually(() => site.has([name]), `a certificate for ${name}`);
      assert.equal(front.requests.filter(({ path }) => path === '/stored-order').length, 1);
      front.requests.length = 0;
    }
  });

  test('a slow validation, with half of the nonces refused and authorizations reused', async (t) => {
    const chaos = { PEBBLE_VA_NOSLEEP: '0', PEBBLE_VA_SLEEPTIME: '1' };
    await pebble.restart({ ...chaos, PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_AUTHZREUSE: '100' });
    const site = siteOf(t, ['slow.example.com']);
    await site.start();
    await eventually(() => site.has(['slow.example.com']), 'certificate');
    assert.deepEqual([site.view('slow.example.com').failures, ordered(site)], [0, 1]);
    await pebble.restart({});
  });

  test('renewal information decides: a window in the past renews at once, and names the certificate that is replaced', async (t) => {
    front.window = { startMs: Date.now() + 30 * DAY_MS, endMs: Date.now() + 31 * DAY_MS };
    const site = siteOf(t, ['ari.example.com']);
    await site.start();
    await eventually(() => site.has(['ari.example.com']), 'certificate');
    await eventually(() => front.count('/renewal-info/') === 1, 'a look at the renewal information');
    await eventually(() => site.view('ari.example.com').renewAtMs! >= front.window!.startMs, 'the suggested time');
    const [first] = site.serials();
    front.window = { startMs: Date.now() - 2 * DAY_MS, endMs: Date.now() - DAY_MS };
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(front.count('/renewal-info/'), 1, 'Retry-After is obeyed');
    site.skewMs = 3_700_000;
    await eventually(() => site.serials()[0] !== first, 'replacement');
    const replacing = front.requests.filter(({ payload }) => payload?.['replaces'] !== undefined);
    assert.match(String(replacing[0]!.payload!['replaces']), /^[\w-]+\.[\w-]+$/);
  });

  test('a rejected validation keeps the certificate in use, and is repeated later', async (t) => {
    const site = siteOf(t, ['kept.example.com']);
    await site.start();
    await eventually(() => site.has(['kept.example.com']), 'certificate');
    const [first] = site.serials();
    isReachable = false;
    await pebble.restart({});
    site.skewMs = site.validityMs('kept.example.com') * 0.7;
    const failure = (): string => site.log.find(({ text }) => text.includes('was not issued'))?.text ?? '';
    await eventually(() => failure() !== '', 'a failure');
    assert.match(
      failure(),
      /^certificate for kept\.example\.com was not issued: CA can't validate kept\.example\.com \(http-01\): unauthorized: .+; the next attempt is at .+; the old one is valid until /,
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(site.view('kept.example.com').failures, 1, 'it is not repeated at once');
    assert.deepEqual(site.serials(), [first]);
    isReachable = true;
    site.skewMs += 6 * 60_000;
    await eventually(() => site.serials()[0] !== first, 'renewal');
    assert.equal(site.view('kept.example.com').failures, 0);
  });

  test('a preflight spends no order on a name that another server answers; renewals that cannot be probed are ordered', async (t) => {
    const name = 'proven.example.com';
    const { preflight } = pebble;
    const dns = (command: string, body: object) =>
      fetch(pebble.dnsUrl + command, { method: 'POST', body: JSON.stringify(body) });
    isReachable = false;
    const site = siteOf(t, [name], { preflight });
    await site.start();
    await eventually(() => site.view(name).failures === 1, 'a failure');
    assert.match(site.view(name).lastError, /^preflight failed, and no order was made: .* is another server: .* 404; /);
    assert.deepEqual(front.requests, [], 'the CA was not contacted');
    isReachable = true;
    site.skewMs = 61_000;
    await eventually(() => site.has([name]), 'certificate');
    const [first] = site.serials();

    await dns('/set-servfail', { host: `${name}.` });
    site.skewMs = site.validityMs(name) * 0.7;
    const warning = /^certificate for proven\.example\.com is renewed without a preflight: .*ESERVFAIL/;
    await eventually(() => site.log.some(({ text }) => warning.test(text)), 'a warning');
    await dns('/clear-servfail', { host: `${name}.` });
    site.skewMs += 6 * 60_000;
    await eventually(() => site.serials()[0] !== first, 'renewal');
  });

  test('a rate limit pauses all orders for as long as the CA demands', async (t) => {
    front.intercept = ({ payload }) =>
      payload?.['identifiers'] === undefined
        ? undefined
        : {
            status: 429,
            headers: { 'retry-after': '7200' },
            body: { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many certificates' },
          };
    const names = [
      'a.limit.example.com',
      'b.limit.example.com',
      'c.limit.example.com',
      'd.limit.example.com',
      'e.limit.example.com',
    ];
    const site = siteOf(t, names);
    await site.start();
    const isIdle = (): boolean => names.every((name) => site.view(name).state === 'waiting');
    await eventually(() => site.view(names[0]!).failures === 1 && isIdle(), 'a failure');
    const sent = front.requests.filter(({ payload }) => payload?.['identifiers'] !== undefined).length;
    assert.ok(sent <= 3, `${sent} orders: those that ran already`);
    site.skewMs = 7_100_000;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(front.requests.filter(({ payload }) => payload?.['identifiers'] !== undefined).length, sent);
    front.intercept = () => undefined;
    site.skewMs = 7_300_000;
    await eventually(() => site.has(names), 'all certificates');
  });

  test('a CA that has lost its accounts gets another one', async (t) => {
    const site = siteOf(t, ['first.example.com']);
    await site.start();
    await eventually(() => site.has(['first.example.com']), 'certificate');
    await site.stop();
    await pebble.restart({});
    const next = siteOf(t, ['first.example.com', 'second.example.com']);
    await next.start();
    await eventually(() => next.has(['second.example.com']), 'certificate with a new account');
    assert.equal(next.view('second.example.com').failures, 0);
    assert.ok(next.log.every(({ text }) => !text.includes('was not issued')));
  });

  test('a certificate that cannot be written is used all the same, and written later', async (t) => {
    const site = siteOf(t, ['full.example.com']);
    let blocked = '';
    front.intercept = ({ payload }) => {
      if (payload?.['csr'] === undefined) return undefined;
      // A directory in place of the file: as on a full disk, the write fails, and what is there stays.
      blocked = join(certificates(), 'full.example.com.pem');
      mkdirSync(join(blocked, 'full'), { recursive: true });
      front.intercept = () => undefined;
      return undefined;
    };
    await site.start();
    await eventually(() => site.has(['full.example.com']), 'certificate in use');
    assert.ok(
      site.log.some(({ text }) => text.startsWith("certificate for full.example.com is used, but can't be stored: ")),
    );
    rmSync(blocked, { recursive: true });
    await eventually(() => readdirSync(certificates()).includes('full.example.com.pem'), 'certificate in the storage');
    assert.equal(ordered(site), 1);
  });

  test('DNS-01 by a command for a wildcard, with an external account; the command fails first', async (t) => {
    const key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
    await pebble.restart({}, { 'kid-1': key });
    const hook = join(storage, 'hook.mjs');
    const log = join(storage, 'hook.log');
    writeFileSync(log, '');
    writeFileSync(
      hook,
      `import { appendFileSync, existsSync } from 'node:fs';
      const [url, action, name, value] = process.argv.slice(2);
      appendFileSync(${JSON.stringify(log)}, action + ' ' + name + '\\n');
      if (!existsSync(${JSON.stringify(`${log}.works`)})) throw new Error('zone is locked');
      const path = action === 'present' ? '/set-txt' : '/clear-txt';
      await fetch(url + path, { method: 'POST', body: JSON.stringify({ host: name + '.', value }) });`,
    );
    const name = '*.wild.example.com';
    const external = { keyId: 'kid-1', macKey: key };
    const dns = [process.execPath, hook, pebble.dnsUrl];
    const site = siteOf(t, [name], { dns, external });
    await site.start();
    await eventually(() => site.view(name).failures === 1 && site.view(name).state === 'waiting', 'a failure');
    assert.match(
      site.view(name).lastError,
      /^DNS command .+ present failed for wild\.example\.com: exit code 1: .*zone is locked/,
    );
    writeFileSync(`${log}.works`, '');
    await site.renewNow(name);
    await eventually(() => site.has([name]), 'certificate').catch((e) => {
      console.log(site.log.map((l) => l.text).join('\n'), site.view(name), readFileSync(log, 'utf8'));
      throw e;
    });
    const calls = readFileSync(log, 'utf8').trim().split('\n').slice(-2);
    assert.deepEqual(calls, ['present _acme-challenge.wild.example.com', 'withdraw _acme-challenge.wild.example.com']);

    const without = siteOf(t, ['other.example.com'], { storage: join(storage, 'second') });
    await without.start();
    await eventually(() => without.view('other.example.com').failures === 1, 'a refusal');
    assert.match(without.view('other.example.com').lastError, /requires an external account: set externalAccount/);
  });
});

function ordered({ log }: CertificateSite): number {
  return log.filter(({ text }) => text.endsWith('is being ordered') || text.endsWith('is being renewed')).length;
}
