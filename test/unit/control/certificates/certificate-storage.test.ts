// The storage of certificates: files that are replaced as a whole, and locks that survive their owners. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type CertificateIdentity, CertificateStorage } from '../../../../control/certificates/certificate-storage.ts';
import { NO_PLAN } from '../../../../control/certificates/certificate-plan.ts';
import { systemTimers } from '../../../../core/timers.ts';
import { readAlpnAnswer, readHttpAnswer, tokenOfTarget } from '../../../../net/acme-challenges.ts';
import { testCertificate } from '../../../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-storage-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function newStorage(): CertificateStorage {
  return new CertificateStorage(join(folder, String(count++)), systemTimers);
}

const WILDCARD: CertificateIdentity = { directory: 'https://ca.test:1/dir?x', name: '*.example.com', keyType: 'rsa' };
const OTHER: CertificateIdentity = { ...WILDCARD, directory: 'https://staging.test/dir' };

describe('files', () => {
  test('a certificate is read back as it was written, for the owner alone, and for its CA alone', async () => {
    const storage = newStorage();
    const { cert, key } = testCertificate(['*.example.com']);
    assert.equal(await storage.readCertificate(WILDCARD), null);
    assert.equal(await storage.versionOf(WILDCARD), '');
    await storage.writeCertificate(WILDCARD, { cert, key });
    assert.deepEqual(await storage.readCertificate(WILDCARD), { cert, key });
    assert.equal(await storage.readCertificate(OTHER), null);
    const file = join(storage.root, 'certificates', 'ca.test-1-dir-x', '_wildcard.example.com.rsa.pem');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
    const version = await storage.versionOf(WILDCARD);
    await storage.writeCertificate(WILDCARD, { cert, key });
    assert.notEqual(await storage.versionOf(WILDCARD), version);
  });

  test('a file that is no JSON counts as absent', async () => {
    const storage = newStorage();
    await storage.writePlan(WILDCARD, NO_PLAN);
    assert.deepEqual(await storage.readPlan(WILDCARD), NO_PLAN);
    const file = join(storage.root, 'certificates', 'ca.test-1-dir-x', '_wildcard.example.com.rsa.json');
    for (const text of ['', '{"serial":', '7', 'null']) {
      writeFileSync(file, text);
      assert.equal(await storage.readPlan(WILDCARD), null, text);
    }
  });

  test('a write that fails leaves the old file, and no draft', {
    skip: process.getuid?.() === 0 && 'as root',
  }, async () => {
    const storage = newStorage();
    await storage.writeAccount('https://a.test/', { key: 'one', url: null });
    const accounts = join(storage.root, 'accounts');
    chmodSync(accounts, 0o500);
    await assert.rejects(storage.writeAccount('https://a.test/', { key: 'two', url: null }), /EACCES/);
    chmodSync(accounts, 0o700);
    assert.deepEqual(await storage.readAccount('https://a.test/'), { key: 'one', url: null });
    assert.equal(readdirSync(accounts).length, 1);
  });
});

describe('answers to challenges', () => {
  test('are found by token and by name, and nothing else is read', async () => {
    const storage = newStorage();
    const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
    await storage.presentHttp(token, 'answer');
    assert.equal(await readHttpAnswer(storage.root, tokenOfTarget(`/.well-known/acme-challenge/${token}`)), 'answer');
    for (const bad of [
      '../../accounts/x-x-x-x-x-x',
      'short',
      `${token}?a`,
      `${token}/`,
      '%2e%2e%2fetcetera-etcetera',
      '',
    ]) {
      assert.equal(tokenOfTarget(`/.well-known/acme-challenge/${bad}`), '', bad);
    }
    await storage.withdrawHttp(token);
    assert.equal(await readHttpAnswer(storage.root, token), null);
    await storage.presentAlpn('a.example.com', { cert: 'CERT', key: 'KEY' });
    assert.equal(readAlpnAnswer(storage.root, 'A.example.com'), 'KEYCERT');
    for (const bad of ['../http-01/x', '', 'b.example.com', '.', 'a.example.com\0', 'a'.repeat(300)]) {
      assert.equal(readAlpnAnswer(storage.root, bad), null, bad);
    }
  });
});

describe('files that a process left behind', () => {
  test('are removed an hour later: answers, drafts and claims, and nothing else', async () => {
    const storage = newStorage();
    await storage.presentHttp('evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA', 'answer');
    await storage.presentAlpn('a.example.com', { cert: 'CERT', key: 'KEY' });
    await storage.writePlan(WILDCARD, NO_PLAN);
    await storage.writeOrder(WILDCARD, { url: 'https://ca.test:1/order', key: 'KEY' });
    const lock = await storage.lockCertificate(WILDCARD);
    const folder = join(storage.root, 'certificates', 'ca.test-1-dir-x');
    for (const name of ['x.pem.7.ab.tmp', '_wildcard.example.com.lock.0123abcd']) writeFileSync(join(folder, name), '');
    const files = (): string[] =>
      readdirSync(storage.root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name, parentPath }) => {
          age(join(parentPath, name), aged);
          return name;
        });
    let aged = 50 * 60;
    assert.equal(files().length, 7);
    await storage.removeLeftovers();
    aged = 70 * 60;
    assert.equal(files().length, 7, 'those of orders in progress stay');
    await storage.removeLeftovers();
    const kept = ['_wildcard.example.com.lock', '_wildcard.example.com.rsa.json', '_wildcard.example.com.rsa.order'];
    assert.deepEqual(files().toSorted(), kept);
    await lock!.release();
  });
});

function age(file: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  utimesSync(file, then, then);
}

describe('a lock', () => {
  const lockFile = (storage: CertificateStorage): string =>
    join(storage.root, 'certificates', 'ca.test-1-dir-x', '_wildcard.example.com.lock');

  test('is held by one at a time', async () => {
    const storage = newStorage();
    const first = await storage.lockCertificate(WILDCARD);
    assert.notEqual(first, null);
    assert.equal(await storage.lockCertificate(WILDCARD), null);
    assert.notEqual(await storage.lockCertificate(OTHER), null, 'one for each CA and name');
    const otherKey = { ...WILDCARD, keyType: WILDCARD.keyType === 'rsa' ? 'ecdsa' : 'rsa' } as const;
    assert.equal(await storage.lockCertificate(otherKey), null, 'one for both types of key, which share challenges');
    await first!.release();
    const many = await Promise.all(Array.from({ length: 20 }, () => storage.lockCertificate(WILDCARD)));
    assert.equal(many.filter((lock) => lock !== null).length, 1);
  });

  test('of a process that has died on this machine is taken over at once', async () => {
    const storage = newStorage();
    const lock = await storage.lockCertificate(WILDCARD);
    const owner = JSON.parse(readFileSync(lockFile(storage), 'utf8')) as { host: string };
    assert.ok(owner.host.startsWith(hostname()));
    const { pid } = spawnSync('true');
    writeFileSync(lockFile(storage), JSON.stringify({ ...owner, pid, nonce: 'dead' }));
    const next = await storage.lockCertificate(WILDCARD);
    assert.notEqual(next, null);
    await lock!.release();
    assert.equal(await storage.lockCertificate(WILDCARD), null, 'the former owner does not remove it');
    await next!.release();
  });

  test('of another machine is taken over when it was not refreshed for a minute', async () => {
    const storage = newStorage();
    mkdirSync(join(lockFile(storage), '..'), { recursive: true });
    for (const text of [JSON.stringify({ host: 'other', pid: 1, nonce: 'x' }), '']) {
      writeFileSync(lockFile(storage), text);
      assert.equal(await storage.lockCertificate(WILDCARD), null, 'fresh');
      const old = Date.now() / 1000 - 61;
      utimesSync(lockFile(storage), old, old);
      const many = await Promise.all(Array.from({ length: 10 }, () => storage.lockCertificate(WILDCARD)));
      const won = many.filter((lock) => lock !== null);
      assert.equal(won.length, 1, 'by one of those that try');
      await won[0]!.release();
    }
    assert.deepEqual(readdirSync(join(lockFile(storage), '..')), []);
  });
});
