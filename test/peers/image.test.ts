// The image of `npm run image` in a real Podman: it serves without root on a read-only file system, `fairlead healthcheck`
// finds it alive, and SIGTERM drains it. Only in `npm run test:long`: the image has 180 MB. Thread: main.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { IMAGE_CONFIG } from '../../scripts/image/image-config.ts';
import { nativeArchitecture, nativePrograms } from '../../scripts/image/image-programs.ts';
import { writeImage } from '../../scripts/image/oci-layout.ts';
import { writeRootFiles } from '../../scripts/image/root-files.ts';
import { freePort } from '../../scripts/peers/free-port.ts';
import { eventually } from '../support/fairlead.ts';
import { installPackage } from '../support/packed-tarball.ts';
import { requirePeer } from '../support/peers.ts';
import { shortOrLong } from '../support/test-length.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const NAME = `fairlead-image-${process.pid}`;
const run = promisify(execFile);

/** Runs Podman, and returns what it prints. */
type Podman = (...args: readonly string[]) => Promise<string>;

/** Builds the image and loads it. */
async function loadImage(t: TestContext, podman: Podman, folder: string): Promise<void> {
  await installPackage(folder);
  const [root, layout, archive] = ['root', 'layout', 'image.tar'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeRootFiles({ source: ROOT, programs: nativePrograms(process.execPath), root });
  const images = [{ architecture: nativeArchitecture(), root }];
  writeImage({ images, layout, reference: `${NAME}:1`, config: IMAGE_CONFIG });
  execFileSync('tar', ['-C', layout, '-cf', archive, 'oci-layout', 'index.json', 'blobs']);
  t.after(() => podman('rmi', '--force', `docker.io/library/${NAME}:1`));
  assert.match(await podman('load', '--input', archive), new RegExp(`Loaded image: docker.io/library/${NAME}:1`));
}

test('the image serves without root, is healthy, and drains', async (t) => {
  if (shortOrLong(0, 1) === 0) return t.skip('only in npm run test:long');
  const program = requirePeer(t, 'podman');
  if (program === undefined) return undefined;
  const podman: Podman = async (...args) => (await run(program, ['--runtime', 'runc', ...args])).stdout.trim();
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await loadImage(t, podman, folder);
  const [port, admin] = [await freePort(), await freePort()];
  const etc = path.join(folder, 'etc');
  mkdirSync(etc);
  chmodSync(etc, 0o755);
  writeFileSync(
    path.join(etc, 'fairlead.yaml'),
    `listeners: [{ name: web, bind: "127.0.0.1:${port}" }]
routes: [{ respond: { status: 200, body: from the image } }]
admin: { bind: "127.0.0.1:${admin}" }
`,
  );
  t.after(() => podman('rm', '--force', '--time', '0', NAME));
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000', '--network', 'host'];
  const isolation = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--volume', `${etc}:/etc/fairlead:ro`];
  const environment = ['--env', `FAIRLEAD_ADMIN=127.0.0.1:${admin}`];
  await podman('run', '--detach', '--name', NAME, ...limits, ...isolation, ...environment, `${NAME}:1`);
  const url = `http://127.0.0.1:${port}/`;
  await eventually(
    () =>
      fetch(url)
        .then((response) => response.ok)
        .catch(() => false),
    'the first answer',
  );
  assert.equal(await (await fetch(url)).text(), 'from the image');

  assert.equal(await podman('exec', NAME, ...IMAGE_CONFIG.Healthcheck.Test.slice(1)), 'alive');
  const pid = await podman('inspect', NAME, '--format', '{{.State.Pid}}');
  if (existsSync(`/proc/${pid}/status`)) {
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t65532\t65532\t65532\t65532$/m);
  }
  await assert.rejects(podman('exec', NAME, 'fairlead', 'init', '/opt/fairlead/a.yaml', '--upstream', 'http://a:1'));
  await podman('stop', NAME);
  assert.equal(await podman('inspect', NAME, '--format', '{{.State.ExitCode}}'), '0');
  assert.match((await run(program, ['--runtime', 'runc', 'logs', NAME])).stderr, /"text":"draining: .*"text":"ended"/s);
  return undefined;
});
