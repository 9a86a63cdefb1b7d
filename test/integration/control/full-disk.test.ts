// A full disk under what the process writes: nothing is half-written, what was there stays, the log says it plainly, and
// writing goes on once there is space. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { readHttpAnswer } from '../../../net/acme-challenges.ts';
import { AcmeFront, challengeServer } from '../../support/acme-front.ts';
import { startApps } from '../../support/app-server.ts';
import { CertificateSite } from '../../support/certificate-site.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';
import { mountSmallDisk, type SmallDisk } from '../../support/full-disk.ts';
import { findPeer } from '../../support/peers.ts';
import { freePorts } from '../../../scripts/peers/free-port.ts';
import { Pebble } from '../../support/pebble.ts';

const isMissing = findPeer('pebble') === undefined && process.env['CI'] === undefined;
const NO_MOUNT = 'mounting a file system is not permitted';
const NO_SPACE = /ENOSPC: no space left on device/;
const NAME = 'full.example.com';

/** Files of a folder, but for the ballast of a full disk. */
function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return files.filter((name) => name !== 'ballast').toSorted();
}

describe('automatic certificates', { skip: isMissing && 'pebble is not installed (scripts/install-peers.sh)' }, () => {
  let pebble: Pebble;
  let challenges: Server;
  let storage = '';

  before(async () => {
    const [httpPort = 0, tlsPort = 0] = await freePorts(2);
    pebble = await Pebble.start({ httpPort, tlsPort, chaos: {} });
    challenges = await challengeServer(httpPort, (token) => readHttpAnswer(storage, token));
  });

  after(async () => {
    challenges.close();
    await pebble.stop();
  });

  async function siteOn(t: TestContext, { folder }: SmallDisk): Promise<{ site: CertificateSite; front: AcmeFront }> {
    storage = folder;
    const front = await new AcmeFront(pebble).start();
    const { directory } = front;
    const site = new CertificateSite({ names: [NAME], storage, directory, trusted: pebble.trustedFile });
    t.after(async () => {
      await site.stop();
      await front.stop();
    });
    return { site, front };
  }

  const newOrders = (front: AcmeFront): number =>
    front.requests.filter(({ payload }) => payload?.['identifiers'] !== undefined).length;

  test('the first order: none is made, the cause is logged, and it is repeated with back-off', async (t) => {
    const disk = mountSmallDisk(t);
    if (disk === null) return t.skip(NO_MOUNT);
    disk.fill();
    const { site, front } = await siteOn(t, disk);
    await site.start();
    const failure = (): string => site.log.find(({ text }) => text.includes('was not issued'))?.text ?? '';
    await eventually(() => failure() !== '', 'a failure');
    assert.match(
      failure(),
      new RegExp(`^certificate for ${NAME} was not issued: .+ can't be written: ENOSPC: .+; the next`),
    );
    assert.equal(newOrders(front), 0);
    assert.deepEqual(filesOf(disk.folder), [], 'nothing half-written');
    disk.free();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(site.view(NAME).failures, 1, 'not repeated at once');
    site.skewMs = 6 * 60_000;
    await eventually(() => site.has([NAME]), 'a certificate');
  });

  test('a renewal: the old certificate stays, and the back-off holds though it cannot be stored', async (t) => {
    const disk = mountSmallDisk(t);
    if (disk === null) return t.skip(NO_MOUNT);
    const { site, front } = await siteOn(t, disk);
    await site.start();
    const isSettled = (): boolean => /^\S+-dir\.json full\S+\.json full\S+\.pem$/.test(filesOf(disk.folder).join(' '));
    await eventually(() => site.has([NAME]) && isSettled(), 'a stored certificate');
    const [first] = site.serials();
    const pem = (): string => {
      const file = readdirSync(disk.folder, { recursive: true }).find((name) => String(name).endsWith('.pem'))!;
      return readFileSync(join(disk.folder, String(file)), 'utf8');
    };
    const stored = pem();
    const orders = newOrders(front);
    disk.fill();
    site.skewMs = site.validityMs(NAME) * 0.7;
    await eventually(() => site.view(NAME).failures === 1, 'a failure');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual([site.view(NAME).failures, newOrders(front)], [1, orders], 'not repeated at once');
    assert.match(site.view(NAME).lastError, NO_SPACE);
    assert.ok(site.log.some(({ text }) => text.includes('; the old one is valid until ')));
    assert.deepEqual([site.serials(), pem(), isSettled()], [[first], stored, true]);
    disk.free();
    site.skewMs += 6 * 60_000;
    await eventually(() => site.serials()[0] !== first, 'a renewal');
  });

  test('between order and certificate: it is used, and stored later', async (t) => {
    const disk = mountSmallDisk(t);
    if (disk === null) return t.skip(NO_MOUNT);
    const { site, front } = await siteOn(t, disk);
    let isFull = false;
    front.intercept = ({ payload }) => {
      isFull ||= payload?.['csr'] !== undefined;
      // Each time: answers to challenges are removed meanwhile.
      if (isFull) disk.fill();
      return undefined;
    };
    await site.start();
    await eventually(() => site.has([NAME]), 'a certificate in use');
    const line = site.log.find(({ text }) => text.startsWith(`certificate for ${NAME} is used, but can't be stored`))!;
    assert.match(line.text, NO_SPACE);
    await eventually(() => filesOf(disk.folder).every((name) => !name.endsWith('.tmp')), 'nothing half-written');
    front.intercept = () => undefined;
    disk.free();
    await eventually(() => filesOf(disk.folder).includes(`${NAME}.pem`), 'a stored certificate');
    assert.equal(newOrders(front), 1);
  });
});

test('state file, access log and internal CA', async (t) => {
  const disk = mountSmallDisk(t);
  if (disk === null) return t.skip(NO_MOUNT);
  disk.fill();
  const [app] = await startApps(t, 1);
  const { folder } = disk;
  const fairlead = await startFairlead(
    t,
    `workers: 1
listeners:
  - { name: web, bind: "127.0.0.1:0" }
  - { name: secure, bind: "127.0.0.1:0", tls: { internal: { domains: [localhost], storage: ${folder}/ca } } }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app!.address}"], health: { heartbeat: { path: /healthz } } } }
accessLog: { output: ${folder}/access.log }
health: { stateFile: ${folder}/state.json, maxAge: 5s }
`,
  );
  const logged = (pattern: RegExp): Promise<void> =>
    eventually(() => fairlead.log.some(({ text }) => pattern.test(text)), `the log has ${pattern.source}`);
  assert.equal((await fetch(fairlead.url)).status, 200);
  await logged(/^endpoint state in .+state\.json cannot be written: .+ENOSPC: no space left on device/);
  await logged(/^access log .+access\.log is losing lines: no space left on the disk \(ENOSPC\)/);
  await logged(/^root of the internal CA can't be read or stored in .+: ENOSPC: no space left on device/);
  assert.deepEqual(filesOf(folder), ['access.log'], 'nothing half-written');
  assert.equal(readFileSync(join(folder, 'access.log'), 'utf8'), '');

  disk.free();
  await logged(/^endpoint state is written to .+state\.json again$/);
  assert.ok(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) !== null);
  await eventually(async () => {
    await fetch(fairlead.url);
    return readFileSync(join(folder, 'access.log'), 'utf8').trim().split('\n').every(isJson);
  }, 'whole lines in the access log');
});

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}
