// The file that answers a request: index, fallback, variants, links that leave the root, descriptors. Thread: worker.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import type { FilesSnapshot } from '../../../../core/snapshot/route.ts';
import { FileBody } from '../../../../proxy/files/file-body.ts';
import { FileFinder, type FoundFile } from '../../../../proxy/files/file-finder.ts';
import { type FileRefusal, OpenFiles } from '../../../../proxy/files/open-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-files-'));
after(() => rmSync(folder, { recursive: true }));
const root = path.join(folder, 'public');
for (const name of ['', 'docs', 'empty', 'v2']) mkdirSync(path.join(root, name), { recursive: true });
for (const name of [
  'index.html',
  'docs/start.htm',
  'app.js',
  'app.js.br',
  'app.js.gz',
  'only.css.gz',
  '.env',
  'v2/x.txt',
]) {
  writeFileSync(path.join(root, name), `content of ${name}`);
}
writeFileSync(path.join(folder, 'secret.txt'), 'secret');
mkdirSync(path.join(folder, 'public-too'));
writeFileSync(path.join(folder, 'public-too/near.txt'), 'near');
symlinkSync('../secret.txt', path.join(root, 'leak.txt'));
symlinkSync('../public-too', path.join(root, 'near'));
symlinkSync('docs/start.htm', path.join(root, 'inside.htm'));
symlinkSync('loop', path.join(root, 'loop'));
execFileSync('mkfifo', [path.join(root, 'pipe')]);

const FILES: FilesSnapshot = {
  root,
  index: ['index.html', 'start.htm'],
  spaFallback: '',
  precompressed: [],
  cacheControl: [],
  dotFiles: false,
};

function shownAs(found: FoundFile | FileRefusal): string {
  if (typeof found === 'string') return found;
  found.file.close();
  return `${found.name}${found.coding === null ? '' : ` in ${found.coding}`}`;
}

async function find(target: string, more: Partial<FilesSnapshot> = {}, accepted?: string): Promise<string> {
  const open = new OpenFiles(8);
  const found = await new FileFinder(open, { ...FILES, ...more }).find(target, accepted);
  const shown = shownAs(found);
  assert.equal(open.count, 0, 'no descriptor is left open');
  return shown;
}

test('paths lead to files, indexes of directories, and redirects', async () => {
  for (const [target, shown] of [
    ['/app.js?x', 'app.js'],
    ['/', 'index.html'],
    ['/docs/', 'docs/start.htm'],
    ['/docs', 'directory'],
    ['/empty/', 'missing'],
    ['/nothing', 'missing'],
    ['/app.js/', 'missing'],
    ['/app.js/x', 'missing'],
    ['/.env', 'missing'],
    ['/inside.htm', 'inside.htm'],
    ['/leak.txt', 'forbidden'],
    ['/near/near.txt', 'forbidden'],
    ['/loop', 'missing'],
    ['/pipe', 'forbidden'],
    [`/${'a'.repeat(5000)}`, 'missing'],
  ] as const) {
    assert.equal(await find(target), shown, target);
  }
});

test('views without a file get the fallback, and missing files do not', async () => {
  const spaFallback = 'index.html';
  for (const [target, shown] of [
    ['/users/7', 'index.html'],
    ['/users/', 'index.html'],
    ['/app.js', 'app.js'],
    ['/missing.js', 'missing'],
    ['/.env', 'missing'],
    ['/docs', 'directory'],
  ] as const) {
    assert.equal(await find(target, { spaFallback }), shown, target);
  }
});

test('variants are chosen by what the client accepts and what exists', async () => {
  const precompressed = ['zstd', 'br', 'gzip'] as const;
  for (const [target, accepted, shown] of [
    ['/app.js', 'gzip, br, zstd', 'app.js in br'],
    ['/app.js', 'gzip;q=1, br;q=0.5', 'app.js in gzip'],
    ['/app.js', 'zstd', 'app.js'],
    ['/app.js', undefined, 'app.js'],
    ['/only.css', 'gzip', 'only.css in gzip'],
    ['/only.css', 'br', 'missing'],
    ['/docs', 'gzip', 'directory'],
  ] as const) {
    assert.equal(await find(target, { precompressed }, accepted), shown, `${target} ${accepted}`);
  }
});

test('the root may be a link, which is switched to another release', async () => {
  const link = path.join(folder, 'current');
  symlinkSync('public', link);
  const finder = new FileFinder(new OpenFiles(8), { ...FILES, root: link });
  assert.equal(shownAs(await finder.find('/v2/x.txt', undefined)), 'v2/x.txt');
  symlinkSync('public-too', `${link}-new`);
  renameSync(`${link}-new`, link);
  assert.equal(shownAs(await finder.find('/near.txt', undefined)), 'near.txt');
});

test('open files are bounded', async () => {
  const open = new OpenFiles(1);
  const finder = new FileFinder(open, FILES);
  const first = await finder.find('/app.js', undefined);
  assert.equal(await finder.find('/index.html', undefined), 'busy');
  assert.equal(shownAs(first), 'app.js');
  assert.equal(shownAs(await finder.find('/index.html', undefined)), 'index.html');
});

describe('a body', () => {
  const big = path.join(root, 'big.bin');

  async function bodyOf(
    bytes: number,
  ): Promise<{ body: FileBody; open: OpenFiles; log: string[]; settle: () => Promise<void>; room: { is: boolean } }> {
    writeFileSync(big, Buffer.alloc(bytes, 'x'));
    const open = new OpenFiles(8);
    const found = (await new FileFinder(open, FILES).find('/big.bin', undefined)) as FoundFile;
    const log: string[] = [];
    const room = { is: true };
    const body = new FileBody(found.file, 10, bytes - 10, (run) => setImmediate(run));
    body.start({
      data: (chunk) => {
        log.push(`data ${chunk.byteLength}`);
        return room.is;
      },
      end: () => log.push('end'),
      fail: (error) => log.push(error.message),
    });
    const settle = async (): Promise<void> => {
      for (let seen = -1; seen !== log.length; ) {
        seen = log.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    return { body, open, log, settle, room };
  }

  test('is read in parts, and its file closed', async () => {
    const { log, open, settle } = await bodyOf(100_010);
    await settle();
    assert.deepEqual(log, ['data 65536', 'data 34464', 'end']);
    assert.equal(open.count, 0);
  });

  test('waits for its receiver', async () => {
    const { body, log, open, room, settle } = await bodyOf(300_010);
    room.is = false;
    await settle();
    assert.deepEqual([log, open.count], [['data 65536'], 1]);
    body.resume();
    await settle();
    assert.equal(log.length, 2);
    body.cancel();
    await settle();
    assert.deepEqual([log.length, open.count], [2, 0]);
  });

  test('of a file that becomes shorter fails', async () => {
    const { body, log, open, room, settle } = await bodyOf(300_010);
    room.is = false;
    await settle();
    truncateSync(big, 65_546);
    room.is = true;
    body.resume();
    await settle();
    assert.deepEqual(log, ['data 65536', 'the file has become 234464 bytes shorter']);
    assert.equal(open.count, 0);
  });
});
