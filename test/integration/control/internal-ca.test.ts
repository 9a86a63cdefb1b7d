// The internal CA: certificates for localhost and internal names, its root over restarts, and `fairlead trust`. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { connect, type PeerCertificate } from 'node:tls';
import { trust } from '../../../bin/commands/trust/trust.ts';
import { InternalAuthority } from '../../../control/certificates/internal-authority.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { startFairlead } from '../../support/fairlead.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';
import { systemTimers } from '../../../core/timers.ts';

const DAY_MS = 86_400_000;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-internal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The verified certificate for a name or an address. */
function certificateFor(port: number, ca: string, servername: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const options = servername === '' ? {} : { servername };
    const socket = connect({ host: '127.0.0.1', port, ca, ...options }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('tls: internal serves localhost, loopback addresses and hosts of routes; trust prints the root', async (t) => {
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: 127.0.0.1:0, tls: internal }]
routes:
  - { match: { host: [db.internal, "*.wild.internal"] }, respond: {} }
  - { respond: {} }
`,
  );
  const file = join(fairlead.folder, 'internal-ca', 'root.crt');
  const root = readFileSync(file, 'utf8');
  assert.equal(statSync(join(fairlead.folder, 'internal-ca', 'root.pem')).mode & 0o777, 0o600);
  assert.doesNotMatch(root, /PRIVATE KEY/);
  for (const name of ['localhost', 'db.internal', '']) {
    const { subjectaltname } = await certificateFor(fairlead.port, root, name);
    assert.equal(subjectaltname, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:db.internal');
  }
  await assert.rejects(certificateFor(fairlead.port, root, 'a.wild.internal'), /does not match/);

  const lines: string[] = [];
  t.mock.method(console, 'log', (line: string) => lines.push(line));
  trust(join(fairlead.folder, 'fairlead.yaml'), true);
  trust(join(fairlead.folder, 'fairlead.yaml'), false);
  assert.equal(lines[0], file);
  assert.match(lines[1]!, /update-ca-certificates/);
});

test('the root survives restarts and is one for all processes; certificates are replaced after 20 days', async (t) => {
  const folder = folderFor(t);
  const clock = new FakeClock(0, Date.now());
  const parts = { clock, timers: systemTimers, log: recordingLog([]) };
  const authorities = [1, 2, 3].map(() => new InternalAuthority(folder, parts));
  const made = await Promise.all(authorities.map((one) => one.certificateFor(['localhost'])));
  const root = new X509Certificate(readFileSync(join(folder, 'root.crt')));
  for (const { cert } of made) assert.ok(new X509Certificate(cert).verify(root.publicKey));

  const [authority] = authorities;
  assert.equal(await authority!.certificateFor(['localhost']), made[0]);
  await authority!.certificateFor(['other.internal']);
  clock.advance(19 * DAY_MS);
  assert.equal(await authority!.certificateFor(['localhost']), made[0]);
  assert.equal(authority!.renewInMs, DAY_MS);
  clock.advance(DAY_MS);
  const next = await authority!.certificateFor(['localhost']);
  assert.notEqual(next, made[0]);
  assert.equal(authority!.renewInMs, 20 * DAY_MS, 'the unused one is forgotten');
  assert.ok(new X509Certificate(next.cert).validToDate.getTime() > clock.wallMs() + 29 * DAY_MS);
});

test('a storage that cannot be written gives a root for this process, and a line in the log', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'file'), '');
  const lines: LogLine[] = [];
  const parts = { clock: new FakeClock(0, Date.now()), timers: systemTimers, log: recordingLog(lines) };
  const authority = new InternalAuthority(join(folder, 'file'), parts);
  assert.match((await authority.certificateFor(['localhost'])).cert, /BEGIN CERTIFICATE/);
  assert.match(
    lines[0]!.text,
    /^root of the internal CA can't be read or stored in .+: E\w+: .+; it lasts until the process ends$/,
  );
});

test('the certificate of a stored root is written again where it was lost, or is of another root', async (t) => {
  const folder = folderFor(t);
  const file = join(folder, 'root.crt');
  const parts = { clock: new FakeClock(0, Date.now()), timers: systemTimers, log: recordingLog([]) };
  await new InternalAuthority(folder, parts).certificateFor(['localhost']);
  const root = readFileSync(file, 'utf8');
  for (const damage of [() => rmSync(file), () => writeFileSync(file, 'not a certificate')]) {
    damage();
    await new InternalAuthority(folder, parts).certificateFor(['localhost']);
    assert.equal(readFileSync(file, 'utf8'), root);
  }
});

test('a stored root stays in use where its certificate cannot be written', async (t) => {
  const folder = folderFor(t);
  const lines: LogLine[] = [];
  const parts = { clock: new FakeClock(0, Date.now()), timers: systemTimers, log: recordingLog(lines) };
  await new InternalAuthority(folder, parts).certificateFor(['localhost']);
  const root = new X509Certificate(readFileSync(join(folder, 'root.crt')));
  rmSync(join(folder, 'root.crt'));
  mkdirSync(join(folder, 'root.crt'));
  const { cert } = await new InternalAuthority(folder, parts).certificateFor(['localhost']);
  assert.ok(new X509Certificate(cert).verify(root.publicKey));
  assert.match(
    lines.at(-1)!.text,
    /^root of the internal CA can't be written to .+root\.crt: E\w+: .+; clients can't be/,
  );
});
