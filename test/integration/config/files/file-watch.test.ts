// File watch on a real file system: the ways in which editors and Kubernetes replace files. Thread: main.

import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { FileWatch } from '../../../../config/files/file-watch.ts';
import { seededRandom } from '../../../../core/random.ts';
import { systemTimers } from '../../../../core/timers.ts';
import { eventually } from '../../../support/fairlead.ts';

/** Longer than the debounce of a watch. */
const SETTLE_MS = 400;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-watch-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Watched {
  changes: number;
  /** Awaited by each change. */
  hold: Promise<void>;
}

function watching(
  t: TestContext,
  first: string,
  files: readonly string[] = [],
  patterns: readonly string[] = [],
): Watched {
  const watched: Watched = { changes: 0, hold: Promise.resolve() };
  const watch = new FileWatch({
    timers: systemTimers,
    nowMs: () => performance.now(),
    onChange: async () => {
      watched.changes++;
      await watched.hold;
    },
  });
  watch.watch(first, files, patterns);
  t.after(() => watch.stop());
  return watched;
}

async function changed(watched: Watched, times: number): Promise<void> {
  await eventually(() => watched.changes >= times, `${times} changes are reported`);
  await settle();
  assert.equal(watched.changes, times);
}

describe('a watched pattern', () => {
  test('is reported for a file that appears or disappears, not for others', async (t) => {
    const folder = folderFor(t);
    const file = path.join(folder, 'f.yaml');
    mkdirSync(path.join(folder, 'conf.d'));
    writeFileSync(file, 'a');
    const watched = watching(t, file, [], [path.join(folder, 'conf.d/*.yaml')]);
    writeFileSync(path.join(folder, 'conf.d/.b.yaml.swp'), 'b');
    writeFileSync(path.join(folder, 'conf.d/b.yaml'), 'b');
    await changed(watched, 1);
    unlinkSync(path.join(folder, 'conf.d/b.yaml'));
    await changed(watched, 2);
  });
});

describe('a watched file', () => {
  test('that is written in place is reported', async (t) => {
    const file = path.join(folderFor(t), 'f.yaml');
    writeFileSync(file, 'a');
    const watched = watching(t, file);
    writeFileSync(file, 'b');
    await changed(watched, 1);
    writeFileSync(file, 'c');
    await changed(watched, 2);
  });

  test('that an editor replaces by renaming is reported each time', async (t) => {
    const file = path.join(folderFor(t), 'f.yaml');
    writeFileSync(file, 'a');
    const watched = watching(t, file);
    for (const [index, text] of ['b', 'c', 'd'].entries()) {
      writeFileSync(`${file}.swp`, text);
      renameSync(`${file}.swp`, file);
      await changed(watched, index + 1);
    }
  });

  test('that is written several times in quick succession is reported once', async (t) => {
    const file = path.join(folderFor(t), 'f.yaml');
    writeFileSync(file, 'a');
    const watched = watching(t, file);
    for (let count = 0; count < 50; count++) writeFileSync(file, `b${count}`);
    await changed(watched, 1);
  });

  test('that is rewritten with the same content is not reported', async (t) => {
    const file = path.join(folderFor(t), 'f.yaml');
    writeFileSync(file, 'a');
    const watched = watching(t, file);
    writeFileSync(file, 'a');
    utimesSync(file, 1, 1);
    writeFileSync(`${file}.other`, 'x');
    await settle();
    assert.equal(watched.changes, 0);
  });

  test('that is deleted is not reported until it is back', async (t) => {
    const folder = folderFor(t);
    const [file, certificate] = [path.join(folder, 'f.yaml'), path.join(folder, 'a.pem')];
    writeFileSync(file, 'a');
    writeFileSync(certificate, 'a');
    const watched = watching(t, file, [certificate]);
    unlinkSync(file);
    writeFileSync(certificate, 'b');
    await settle();
    assert.equal(watched.changes, 0, 'nobody loads a configuration that is not there');
    writeFileSync(file, 'a');
    await changed(watched, 1);
  });

  test('that another file refers to is reported too, even in a directory created later', async (t) => {
    const folder = folderFor(t);
    const [file, certificate] = [path.join(folder, 'f.yaml'), path.join(folder, 'tls', 'a.pem')];
    writeFileSync(file, 'a');
    mkdirSync(path.dirname(certificate));
    writeFileSync(certificate, 'a');
    const watched = watching(t, file, [certificate]);
    rmSync(path.dirname(certificate), { recursive: true });
    await settle();
    mkdirSync(path.dirname(certificate));
    writeFileSync(certificate, 'b');
    await changed(watched, 1);
    writeFileSync(certificate, 'c');
    await changed(watched, 2);
  });

  test('that changes during a notification is reported after it', async (t) => {
    const file = path.join(folderFor(t), 'f.yaml');
    writeFileSync(file, 'a');
    const watched = watching(t, file);
    let letGo = (): void => undefined;
    watched.hold = new Promise((resolve) => (letGo = resolve));
    writeFileSync(file, 'b');
    await eventually(() => watched.changes === 1, 'the first change is reported');
    writeFileSync(file, 'c');
    await settle();
    assert.equal(watched.changes, 1);
    letGo();
    await changed(watched, 2);
  });
});

describe('a ConfigMap', () => {
  /** Replaces files as kubelet does: a directory with the new files, a link to it, and the link renamed over the old one. */
  function publish(mount: string, revision: string, text: string): void {
    mkdirSync(path.join(mount, revision));
    writeFileSync(path.join(mount, revision, 'fairlead.yaml'), text);
    symlinkSync(revision, path.join(mount, '..data_tmp'));
    renameSync(path.join(mount, '..data_tmp'), path.join(mount, '..data'));
  }

  test('is reported at each change of content', async (t) => {
    const mount = folderFor(t);
    publish(mount, '..2026_1', 'a');
    const file = path.join(mount, 'fairlead.yaml');
    symlinkSync('..data/fairlead.yaml', file);
    const watched = watching(t, file);
    publish(mount, '..2026_2', 'b');
    rmSync(path.join(mount, '..2026_1'), { recursive: true });
    await changed(watched, 1);
    publish(mount, '..2026_3', 'c');
    rmSync(path.join(mount, '..2026_2'), { recursive: true });
    await changed(watched, 2);
    publish(mount, '..2026_4', 'c');
    await settle();
    assert.equal(watched.changes, 2);
  });
});

test('many watches that begin together poll at different times', (t) => {
  const file = path.join(folderFor(t), 'f.yaml');
  writeFileSync(file, 'a');
  const random = seededRandom(1);
  const delays: number[] = [];
  const after = (delayMs: number) => {
    delays.push(delayMs);
    return { cancel: () => undefined };
  };
  for (let count = 0; count < 20; count++) {
    const watch = new FileWatch({ timers: { after }, nowMs: () => 0, random, onChange: () => Promise.resolve() });
    watch.watch(file, []);
    watch.stop();
  }
  assert.equal(new Set(delays).size, 20);
  assert.ok(Math.min(...delays) < 1_000 && Math.max(...delays) > 4_000, delays.join(' '));
});
