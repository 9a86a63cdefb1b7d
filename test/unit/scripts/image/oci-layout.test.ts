// The image layout that is written without a container engine: digests and sizes agree, the same tree makes the same image,
// and its configuration is that of the Dockerfile. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { IMAGE_CONFIG } from '../../../../scripts/image/image-config.ts';
import { writeImage } from '../../../../scripts/image/oci-layout.ts';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string };
}

const tarVersion = spawnSync('tar', ['--version'], { encoding: 'utf8' });
const isGnuTar = tarVersion.error === undefined && tarVersion.stdout.includes('GNU tar');
const options = { skip: isGnuTar ? false : 'GNU tar is not installed' };

function imageOf(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-layout-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = path.join(folder, 'root');
  mkdirSync(path.join(root, 'etc/fairlead'), { recursive: true });
  writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0::/:/\n');
  const layout = path.join(folder, 'layout');
  const digest = writeImage({ root, layout, architecture: 'arm64', reference: 'fairlead:1.2.3', config: IMAGE_CONFIG });
  const blob = ({ digest: name, size }: Descriptor): Buffer => {
    const bytes = readFileSync(path.join(layout, 'blobs', name.replace(':', '/')));
    assert.equal(bytes.length, size);
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, name);
    return bytes;
  };
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(layout, name), 'utf8'));
  return { digest, blob, read };
}

describe('the image layout', options, () => {
  test('leads from the index to the layer by digests and sizes', (t) => {
    const { digest, blob, read } = imageOf(t);
    assert.deepEqual(read('oci-layout'), { imageLayoutVersion: '1.0.0' });
    const { manifests } = read('index.json') as { manifests: Descriptor[] };
    assert.equal(manifests[0]!.digest, digest);
    assert.equal(manifests[0]!.platform!.architecture, 'arm64');
    const manifest = JSON.parse(blob(manifests[0]!).toString()) as { config: Descriptor; layers: Descriptor[] };
    const config = JSON.parse(blob(manifest.config).toString()) as Record<string, { diff_ids?: string[] }>;
    const tar = gunzipSync(blob(manifest.layers[0]!));
    assert.deepEqual(config['rootfs']!.diff_ids, [`sha256:${createHash('sha256').update(tar).digest('hex')}`]);
    const listed = spawnSync('tar', ['-t'], { input: tar, encoding: 'utf8' }).stdout.split('\n');
    assert.ok(listed.includes('./etc/passwd') && listed.includes('./etc/fairlead/'));
  });

  test('is the same for the same tree', (t) => {
    assert.equal(imageOf(t).digest, imageOf(t).digest);
  });
});

test('the configuration is that of the Dockerfile', () => {
  const dockerfile = readFileSync(new URL('../../../../Dockerfile', import.meta.url), 'utf8');
  const valueOf = (pattern: RegExp): string => pattern.exec(dockerfile)![1]!;
  assert.equal(valueOf(/^USER (.+)$/m), IMAGE_CONFIG.User);
  assert.deepEqual(JSON.parse(valueOf(/^ENTRYPOINT (.+)$/m)), IMAGE_CONFIG.Entrypoint);
  assert.deepEqual(JSON.parse(valueOf(/^CMD (.+)$/m)), IMAGE_CONFIG.Cmd);
  assert.equal(valueOf(/^STOPSIGNAL (.+)$/m), IMAGE_CONFIG.StopSignal);
  assert.deepEqual(JSON.parse(valueOf(/^ {2}CMD (.+)$/m)), IMAGE_CONFIG.Healthcheck.Test.slice(1));
  assert.ok(valueOf(/^EXPOSE (.+)$/m) + '/tcp' in IMAGE_CONFIG.ExposedPorts);
});
