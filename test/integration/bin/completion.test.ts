// `fairlead completion`: the script in a real bash; those of zsh and fish where these shells are installed.
// Thread: main.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { shownCommands } from '../../../bin/commands/completion/completion-table.ts';
import { SHELLS } from '../../../bin/commands/completion/completion-scripts.ts';
import { buildProgram } from '../../../bin/commands/program.ts';
import { refusingPort } from '../../support/heartbeat-target.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const ENTRY = path.join(import.meta.dirname, '../../../bin/fairlead.ts');
const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** Sources the script, types $1 and prints what bash would offer. */
const ASK = `
fairlead() { "$NODE" "$ENTRY" "$@"; }
source "$SCRIPT"
COMP_LINE=$1 COMP_POINT=\${#1}
_fairlead
[[ \${#COMPREPLY[@]} -eq 0 ]] || printf '%s\\n' "\${COMPREPLY[@]}"
`;

const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const scriptOf = (shell: string): string => path.join(folder, `fairlead.${shell}`);

before(() => {
  for (const shell of SHELLS) {
    writeFileSync(scriptOf(shell), execFileSync(process.execPath, [ENTRY, 'completion', shell]));
  }
});

/** Completions of bash for a line with the cursor at its end. */
function offered(line: string, environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const env = { ...process.env, NODE: process.execPath, ENTRY, SCRIPT: scriptOf('bash'), ...environment };
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', ASK, 'bash', line], { env, cwd: folder }, (error, stdout, stderr) => {
      if (error !== null || stderr !== '') reject(error ?? new Error(stderr));
      else resolve(stdout.split('\n').slice(0, -1));
    });
  });
}

/** An admin API that a test plays. */
async function played(t: TestContext): Promise<{ context: FakeContext; address: string }> {
  const context = new FakeContext();
  const server = new AdminServer(context);
  t.after(() => server.close());
  return { context, address: await server.start(adminAt(LOOPBACK)) };
}

describe('in bash', { skip: !has('bash') }, () => {
  test('all commands are offered, and no hidden one', async () => {
    const names = shownCommands(buildProgram('0.0.0')).map((command) => command.name());
    assert.deepEqual(await offered('fairlead '), names);
    assert.deepEqual(await offered('fairlead co'), ['config', 'completion']);
    assert.deepEqual(await offered('fairlead config '), ['print']);
  });

  test('options are those of the command, also behind the values of others', async () => {
    assert.deepEqual(await offered('fairlead check --'), [
      '--config',
      '--strict',
      '--strict-dns',
      '--format',
      '--explain',
      '--help',
    ]);
    assert.deepEqual(await offered('fairlead check -c status --fo'), ['--format']);
    assert.deepEqual(await offered('fairlead config print --re'), ['--redact']);
    assert.deepEqual(await offered('fairlead --v'), ['--version']);
  });

  test('words of options and arguments are offered', async () => {
    assert.deepEqual(await offered('fairlead check --format '), ['text', 'json']);
    assert.deepEqual(await offered('fairlead completion '), ['bash', 'zsh', 'fish']);
    assert.deepEqual(await offered('fairlead demo --port '), []);
  });

  test('files are offered where a file is meant', async () => {
    assert.deepEqual(
      (await offered('fairlead check fairlead.')).toSorted(),
      SHELLS.map((one) => `fairlead.${one}`).toSorted(),
    );
    assert.deepEqual(await offered('fairlead run --config fairlead.z'), ['fairlead.zsh']);
  });

  test('endpoints are asked of the one that runs; a colon ends a word for bash', async (t) => {
    const { address } = await played(t);
    const all = ['api/127.0.0.1:3000', 'api/127.0.0.1:3001', 'web/127.0.0.1:3002'];
    for (const command of ['drain', 'ready', 'maintain', 'weight', 'why']) {
      assert.deepEqual(await offered(`fairlead ${command} --admin ${address} `), all, command);
    }
    assert.deepEqual(await offered(`fairlead endpoints add --admin ${address} `), ['api', 'web']);
    const here = { FAIRLEAD_ADMIN: address };
    assert.deepEqual(await offered('fairlead drain api', here), all.slice(0, 2));
    assert.deepEqual(await offered('fairlead drain --wait api/127.0.0.1:30', here), ['3000', '3001']);
    assert.deepEqual(await offered('fairlead weight api/127.0.0.1:3000 ', here), []);
  });

  test('names that a shell could take for more are left out, and nothing is run', async (t) => {
    const { context, address } = await played(t);
    const mark = path.join(folder, 'run');
    const evil = { ...context.current.upstreams[0]!, name: `$(touch ${mark})` };
    context.current = { ...context.current, upstreams: [evil, ...context.current.upstreams.slice(1)] };
    assert.deepEqual(await offered(`fairlead drain --admin ${address} `), ['web/127.0.0.1:3002']);
    assert.deepEqual(await offered('fairlead check run'), []);
  });

  test('where nobody answers nothing is offered, and nothing is said', async (t) => {
    const port = refusingPort(t);
    assert.deepEqual(await offered(`fairlead drain --admin 127.0.0.1:${port} `), []);
  });
});

for (const shell of SHELLS) {
  test(`the script for ${shell} is understood by it`, {
    skip: has(shell) ? false : `${shell} is not installed`,
  }, () => {
    const { status, stderr } = spawnSync(shell, ['-n', scriptOf(shell)], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}
