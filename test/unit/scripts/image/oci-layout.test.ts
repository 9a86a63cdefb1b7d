// The image layout that is written without a container engine: digests and sizes agree, for one architecture and for two, the same tree makes the same image,
// and its configuration is that of the Dockerfile. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { IMAGE_CONFIG } from '../../../../scripts/image/image-config.ts';
import { writeImage } from '../../../../scripts/image/oci-layout.ts';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const tarVersion = spawnSync('tar', ['--version'], { encoding: 'utf8' });
const isGnuTar = tarVersion.error === undefined && tarVersion.stdout.includes('GNU tar');
const options = { skip: isGnuTar ? false : 'GNU tar is not installed' };
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A layout of images that have their architecture in a file. */
function imageOf(t: TestContext, ...architectures: readonly string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-layout-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const images = architectures.map((architecture) => {
    const root = path.join(folder, architecture);
    mkdirSync(path.join(root, 'etc/fairlead'), { recursive: true });
    writeFileSync(path.join(root, 'etc/architecture'), architecture);
    return { architecture, root };
  });
  const layout = path.join(folder, 'layout');
  const digest = writeImage({ images, layout, reference: 'fairlead:1.2.3', config: IMAGE_CONFIG });
  const blob = ({ digest: name, size }: Descriptor): Buffer => {
    const bytes = readFileSync(path.join(layout, 'blobs', name.replace(':', '/')));
    assert.deepEqual([bytes.length, digestOf(bytes)], [size, name]);
    return bytes;
  };
  const read = (name: string) => JSON.parse(readFileSync(path.join(layout, name), 'utf8')) as object;
  const { manifests } = read('index.json') as { manifests: Descriptor[] };
  return { digest, blob, read, layout, manifests };
}

/** Follows a manifest to its layer, by digests and sizes. Returns the architecture in each place that has it. */
function checkManifest(descriptor: Descriptor, blob: (descriptor: Descriptor) => Buffer): string[] {
  assert.equal(descriptor.mediaType, 'application/vnd.oci.image.manifest.v1+json');
  const manifest = JSON.parse(blob(descriptor).toString()) as { config: Descriptor; layers: [Descriptor] };
  const image = JSON.parse(blob(manifest.config).toString()) as {
    architecture: string;
    os: string;
    config: object;
    rootfs: { diff_ids: string[] };
  };
  const tar = gunzipSync(blob(manifest.layers[0]));
  assert.deepEqual(image.rootfs.diff_ids, [digestOf(tar)]);
  assert.deepEqual(image.config, IMAGE_CONFIG);
  assert.deepEqual([image.os, descriptor.platform?.os], ['linux', 'linux']);
  const inLayer = spawnSync('tar', ['-xO', './etc/architecture'], { input: tar, encoding: 'utf8' }).stdout;
  return [descriptor.platform!.architecture, image.architecture, inLayer];
}

describe('the image layout', options, () => {
  test('leads from the index to the layer by digests and sizes', (t) => {
    const { digest, blob, read, manifests } = imageOf(t, 'arm64');
    assert.deepEqual(read('oci-layout'), { imageLayoutVersion: '1.0.0' });
    assert.deepEqual([manifests.length, manifests[0]!.digest], [1, digest]);
    assert.deepEqual(checkManifest(manifests[0]!, blob), ['arm64', 'arm64', 'arm64']);
  });

  test('of two architectures has one name, whose index has a manifest for each, and nothing else', (t) => {
    const { digest, blob, layout, manifests } = imageOf(t, 'amd64', 'arm64');
    const [named] = manifests as [Descriptor];
    assert.deepEqual([manifests.length, named.digest], [1, digest]);
    assert.equal(named.mediaType, 'application/vnd.oci.image.index.v1+json');
    assert.equal(named.annotations!['org.opencontainers.image.ref.name'], '1.2.3');
    const index = JSON.parse(blob(named).toString()) as { schemaVersion: number; manifests: Descriptor[] };
    assert.equal(index.schemaVersion, 2);
    const found = index.manifests.map((descriptor) => checkManifest(descriptor, blob));
    assert.deepEqual(found, [
      ['amd64', 'amd64', 'amd64'],
      ['arm64', 'arm64', 'arm64'],
    ]);
    assert.equal(readdirSync(path.join(layout, 'blobs/sha256')).length, 1 + 2 * 3);
  });

  test('is the same for the same tree', (t) => {
    assert.equal(imageOf(t, 'amd64').digest, imageOf(t, 'amd64').digest);
    assert.notEqual(imageOf(t, 'amd64').digest, imageOf(t, 'arm64').digest);
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
