// `fairlead run --watch` and `fairlead reload` as processes. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type CommandOutcome, configFile, runCommand, startCommand } from '../../support/fairlead-process.ts';

const yaml = (body: string): string => `workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
admin: { bind: "127.0.0.1:0" }
routes: [{ respond: { status: 200, body: ${body} } }]
`;

function reload(admin: string): Promise<CommandOutcome> {
  return runCommand(['reload', '--admin', admin]);
}

describe('run --watch', () => {
  test('takes over what is saved, and what is invalid once only: in the log', async (t) => {
    const { file } = configFile(t, yaml('one'));
    const running = startCommand(t, ['run', '--watch', '--config', file]);
    await running.logged('ready: ');
    writeFileSync(`${file}~`, yaml('two'));
    renameSync(`${file}~`, file);
    await running.logged('revision 2 runs: 1 change(s)');
    writeFileSync(file, yaml('[two'));
    await running.logged('the configuration is refused');
    writeFileSync(file, yaml('three'));
    await running.logged('revision 3 runs: 1 change(s)');
    const folder = path.join(path.dirname(file), 'conf.d');
    mkdirSync(folder);
    writeFileSync(file, `include: conf.d/*.yaml\n${yaml('three')}`);
    await running.logged('revision 4 runs: 0 change(s)');
    writeFileSync(path.join(folder, 'a.yaml'), 'routes: [{ name: a, match: { path: /a }, respond: {} }]\n');
    const { changes } = await running.logged('revision 5 runs: 3 change(s)');
    assert.ok((changes as string[]).includes('route a: added'), String(changes));
    assert.equal(
      running.lines.filter(({ text }) => text?.startsWith('the configuration is refused') === true).length,
      1,
    );
  });
});

describe('fairlead reload', () => {
  test('prints the changes, and the problems of a file that is refused', async (t) => {
    const { file } = configFile(t, yaml('one'));
    const running = startCommand(t, ['run', '--config', file]);
    const admin = String((await running.logged('ready: '))['admin']);
    writeFileSync(file, yaml('two'));
    const taken = await reload(admin);
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, /^revision 2 runs: 1 change\n {2}route /);
    writeFileSync(file, yaml('two').replace('workers', 'wokers'));
    const refused = await reload(admin);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /:1:1: unknown key "wokers"; did you mean "workers"\?[^]*\^\^\^\^\^\^ write workers/);
  });
});
