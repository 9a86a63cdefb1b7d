// Arguments of scripts: what is read, and the usage where they are wrong. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { orUsage, readArguments } from '../../../scripts/usage.ts';

class Exit extends Error {}

/** Reads the arguments as a script would. Returns them, or the exit code with the output. */
function run(t: TestContext, args: readonly string[]): unknown {
  const output: string[] = [];
  const before = process.argv;
  process.argv = [...before.slice(0, 2), ...args];
  t.mock.method(console, 'log', (text: string) => void output.push(text));
  t.mock.method(console, 'error', (text: string) => void output.push(text));
  t.mock.method(process, 'exit', (code: number) => {
    throw new Exit(`${code}: ${output.join()}`);
  });
  try {
    const options = { seconds: { type: 'string', default: '30' }, only: { type: 'string' } } as const;
    const { values, positionals } = readArguments('usage', options, 1);
    return { ...values, positionals };
  } catch (error) {
    assert.ok(error instanceof Exit);
    return error.message;
  } finally {
    process.argv = before;
    t.mock.restoreAll();
  }
}

test('arguments of a script are read, or answered with its usage', (t) => {
  assert.deepEqual(run(t, []), { seconds: '30', positionals: [] });
  assert.deepEqual(run(t, ['--seconds', '2.5', 'x', '--only=a']), { seconds: '2.5', only: 'a', positionals: ['x'] });
  assert.equal(run(t, ['--help']), '0: usage');
  assert.equal(run(t, ['--nonsense']), "2: Unknown option '--nonsense'\n\nusage");
  assert.equal(run(t, ['--seconds', 'x']), '2: --seconds takes a number, not "x"\n\nusage');
  assert.equal(run(t, ['a', 'b']), '2: "b" is one argument too many\n\nusage');
});

test('a reader of arguments that throws is answered with the usage', (t) => {
  t.mock.method(console, 'error', () => undefined);
  const exit = t.mock.method(process, 'exit', () => {
    throw new Exit();
  });
  const read = (): never => {
    throw new Error('--path: fast or general');
  };
  assert.throws(() => orUsage('usage', read), Exit);
  assert.deepEqual(exit.mock.calls[0]!.arguments, [2]);
});
