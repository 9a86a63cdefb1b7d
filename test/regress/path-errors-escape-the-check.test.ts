// Paths of the configuration that the system refuses with unusual errors are problems or warnings, never exceptions: loops of links, names that
// are too long, directories of other users, directories in place of files, and a directory of the state file that is replaced. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FileWatch } from '../../config/files/file-watch.ts';
import { loadConfigText } from '../../config/load.ts';
import { Reloader } from '../../control/reload.ts';
import { StateKeeper } from '../../control/state-keeper.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../support/loggers.ts';
import { snapshot } from '../support/snapshots.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fairlead-paths-'));
  symlinkSync('loop', path.join(folder, 'loop'));
  mkdirSync(path.join(folder, 'sites'));
  symlinkSync('/nowhere/shop.yaml', path.join(folder, 'sites', 'shop.yaml'));
  writeFileSync(path.join(folder, 'sites', 'a+(b).conf'), 'nonsense: 1');
  writeFileSync(path.join(folder, 'plain'), '');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Problems and warnings of a configuration with an additional line. */
function messagesOf(line: string, route = 'respond: { status: 204 }'): string {
  const text = `listeners: [{ name: web, bind: ":0" }]\nroutes: [{ ${route} }]\n${line}\n`;
  const result = loadConfigText(text, { file: 'fairlead.yaml', directory: folder, environment: {}, wallMs: 0 });
  return (result.ok ? result.warnings : result.problems)
    .map(({ message }) => message.replaceAll(folder, 'DIR'))
    .join('\n');
}

const LONG = 'n'.repeat(300);
const IN_LOOP = 'is a loop of symbolic links (ELOOP)';
const TOO_LONG = 'has too long a name (ENAMETOOLONG)';

describe('a path that leads to no usable place', () => {
  for (const [line, message] of [
    ['include: [loop/*.yaml]', `the directory DIR/loop ${IN_LOOP}`],
    ['include: [loop]', `the included file loop ${IN_LOOP}`],
    ['include: [plain/*.yaml]', 'the directory DIR/plain is a file'],
    ['include: [sites/*.yaml]', 'the included file sites/shop.yaml does not exist'],
    ['accessLog: { output: loop/x }', `the directory DIR/loop ${IN_LOOP}`],
    [`accessLog: { output: ${LONG}/x }`, `the directory DIR/${LONG} ${TOO_LONG}`],
    ['accessLog: { output: sites }', 'DIR/sites is a directory: name a file in it, such as sites/access.log'],
    ['health: { stateFile: loop/x }', `the directory DIR/loop ${IN_LOOP}: drains, weights and ejections`],
    [`health: { stateFile: ${LONG}/x }`, `the directory DIR/${LONG} ${TOO_LONG}: drains`],
    ['health: { stateFile: plain/x }', 'the directory DIR/plain is a file: drains'],
    ['health: { stateFile: sites }', 'DIR/sites is a directory, not a file: drains'],
  ] as const) {
    test(line.slice(0, 40), () => {
      const found = messagesOf(line);
      assert.ok(found.includes(message), found);
    });
  }

  test('files of a route', () => {
    const found = messagesOf('', 'files: { root: loop }');
    assert.ok(found.includes(`the directory loop ${IN_LOOP}: name the directory of the files`), found);
  });

  test('is watched by polling', () => {
    const clock = new FakeClock(0, 1_000);
    const parts = { timers: clock, nowMs: () => clock.nowMs(), onChange: () => Promise.resolve() };
    const watching = new FileWatch(parts);
    const files = [path.join(folder, 'loop', 'x'), path.join(folder, LONG, 'x')];
    watching.watch(null, files, [path.join(folder, 'loop', '*.yaml')]);
    clock.advance(6_000);
    watching.stop();
  });
});

test('a wildcard takes the characters of names literally', () => {
  for (const pattern of ['a+(b).co*', '?+(b).conf']) {
    assert.match(messagesOf(`include: ["sites/${pattern}"]`), /unknown key "nonsense"/);
  }
  assert.equal(messagesOf('include: ["sites/aa*(b)?conf"]'), '');
});

test('an exception while a configuration is loaded fails the reload alone', async () => {
  const lines: LogLine[] = [];
  const ends: unknown[] = [];
  const load = (): never => {
    throw new Error('boom');
  };
  const owner = { current: { revision: 3 } };
  const parts = {
    load,
    owner,
    log: recordingLog(lines),
    onBegin: () => undefined,
    onEnd: (result: unknown) => ends.push(result),
  };
  const result = await new Reloader(parts as never).reload();
  assert.deepEqual(result, { ok: false, problems: [], message: 'boom' });
  assert.deepEqual(ends, [result]);
  assert.equal(lines[0]?.text, "the configuration can't be applied: boom; revision 3 runs on");
});

test('the state file survives a directory that is replaced by a file', () => {
  const clock = new FakeClock(0, 1_000);
  const lines: LogLine[] = [];
  const nothing = { subscribe: () => () => undefined, save: () => [], restore: () => undefined };
  const health = { ...nothing, events: nothing, save: () => ({ version: 1, savedAt: 0, endpoints: [] }) };
  const parts = { health, maintenance: nothing, splits: nothing, added: nothing, clock, timers: clock };
  const keeper = new StateKeeper({ ...parts, log: recordingLog(lines) } as never);
  const directory = path.join(folder, 'state');
  mkdirSync(directory);
  keeper.apply(snapshot({ healthState: { file: path.join(directory, 'state.json'), maxAgeMs: 60_000 } }));
  renameSync(directory, `${directory}.old`);
  writeFileSync(directory, '');
  clock.advance(16_000);
  assert.match(JSON.stringify(lines), /cannot be written: a restart would begin with what was written before/);
  rmSync(directory);
  mkdirSync(directory);
  clock.advance(16_000);
  assert.match(JSON.stringify(lines), /is written to .* again/);
  keeper.handOver();
});
