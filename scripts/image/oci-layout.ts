// OCI images of one layer, written as an image layout (OCI Image Format Specification 1.1) without a container engine.
// Thread: main.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** The image of one architecture. */
export interface PlatformImage {
  /** `amd64` or `arm64`. */
  readonly architecture: string;
  /** Its file system. */
  readonly root: string;
}

export interface ImageOptions {
  /** Several make an index, from which an engine takes the image of its architecture. */
  readonly images: readonly PlatformImage[];
  /** Folder of the layout; must be empty. */
  readonly layout: string;
  /** Name and version, such as `fairlead:0.1.0`. */
  readonly reference: string;
  /** Entry point, user and others: the member `config` of the image's configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Files have this time, so that the same tree makes the same image. */
const EPOCH = '1970-01-01T00:00:00Z';
const TAR = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${EPOCH}`, '--format=posix'];
/** Without the times and the process id that pax headers have otherwise. */
const PAX = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime';

/** Writes the layout. Returns the digest by which engines name the image: of its manifest, or of its index. */
export function writeImage({ images, layout, reference, config }: ImageOptions): string {
  mkdirSync(path.join(layout, 'blobs/sha256'), { recursive: true });
  const manifests = images.map((image) => writeManifest(layout, image, config));
  const [first] = manifests;
  const named = manifests.length === 1 ? first! : blob(layout, INDEX, json(indexOf(manifests)));
  const annotations = {
    'org.opencontainers.image.ref.name': reference.split(':').at(-1)!,
    'io.containerd.image.name': `docker.io/library/${reference}`,
  };
  writeFileSync(path.join(layout, 'index.json'), json(indexOf([{ ...named, annotations }])));
  writeFileSync(path.join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return named.digest;
}

function writeManifest(layout: string, { architecture, root }: PlatformImage, config: object): Descriptor {
  const plain = path.join(layout, 'layer.tar');
  execFileSync('tar', [...TAR, PAX, '-C', root, '-cf', plain, '.']);
  const tar = readFileSync(plain);
  rmSync(plain);
  const layer = blob(layout, 'application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar, { level: 6 }));
  const image = {
    created: EPOCH,
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created: EPOCH, created_by: 'scripts/build-image.ts' }],
  };
  const imageBlob = blob(layout, 'application/vnd.oci.image.config.v1+json', json(image));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: imageBlob, layers: [layer] };
  return { ...blob(layout, MANIFEST, json(manifest)), platform: { architecture, os: 'linux' } };
}

function indexOf(manifests: readonly Descriptor[]): object {
  return { schemaVersion: 2, mediaType: INDEX, manifests };
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

function blob(layout: string, mediaType: string, bytes: Buffer): Descriptor {
  const digest = digestOf(bytes);
  writeFileSync(path.join(layout, 'blobs', digest.replace(':', '/')), bytes);
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
