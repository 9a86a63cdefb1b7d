// npm start: which command it hands to the program, and what a Node that is too old gets to read. Thread: main.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { OLDEST_NODE, tooOldMessage } from '../../../scripts/check-node.mjs';
import { runScript, writeTree } from './fixture-tree.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

/** The arguments of bin/fairlead.ts, from a copy of start.mjs beside a program that prints them. */
function commandFor(t: TestContext, ...args: string[]): unknown {
  const program = `console.log(JSON.stringify(process.argv.slice(1)));\n`;
  const root = writeTree(t, { 'package.json': '{"type":"module"}', 'bin/fairlead.ts': program });
  mkdirSync(path.join(root, 'scripts'));
  for (const name of ['scripts/start.mjs', 'scripts/check-node.mjs']) {
    copyFileSync(path.join(REPOSITORY, name), path.join(root, name));
  }
  const { output } = runScript(path.join(root, 'scripts/start.mjs'), args);
  const [file, ...command] = JSON.parse(output) as string[];
  assert.ok(file!.endsWith(path.join('bin', 'fairlead.ts')));
  return command;
}

test('without a configuration the demo starts', (t) => {
  assert.deepEqual(commandFor(t), ['demo']);
});

test('with --config the configuration runs, and all arguments are passed on', (t) => {
  assert.deepEqual(commandFor(t, '--config', 'a.yaml', '--log', 'x'), ['run', '--config', 'a.yaml', '--log', 'x']);
  assert.deepEqual(commandFor(t, '--config=a.yaml'), ['run', '--config=a.yaml']);
});

test('a Node that is too old gets one line of explanation; others get none', () => {
  for (const version of ['20.20.2', '22.19.0', '24.11.9']) {
    assert.match(
      tooOldMessage(version) ?? '',
      new RegExp(`^Fairlead needs Node >= 24\\.12, this is v${version}; [^\\n]*npm start[^\\n]*$`),
    );
  }
  for (const version of ['24.12.0', '24.13.1', '26.10.0', '100.0.0']) assert.equal(tooOldMessage(version), undefined);
});

test('package.json asks for the same Node', () => {
  const manifest = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  assert.equal(manifest.engines.node, `>=${OLDEST_NODE.join('.')}`);
});

test('check-node.mjs prints nothing on this Node', () => {
  assert.deepEqual(runScript('check-node.mjs', []), { status: 0, output: '' });
});
