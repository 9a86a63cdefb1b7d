// `fairlead check` as a process: exit codes, the two formats and where they go. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { CheckReport } from '../../../config/problems/problem-report.ts';
import { type CommandOutcome, ENTRY, runCommand } from '../../support/fairlead-process.ts';

const DIRECTORY = mkdtempSync(path.join(tmpdir(), 'fairlead-check-'));
after(() => rmSync(DIRECTORY, { recursive: true }));

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CommandOutcome> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
  return runCommand(args, { cwd: DIRECTORY, env: { ...inherited, ...environment } });
}

function file(name: string, text: string): string {
  writeFileSync(path.join(DIRECTORY, name), text);
  return name;
}

const VALID = `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`;
const WARNED = VALID.replace(', health: { heartbeat: false }', '');
const BROKEN = VALID.replace('upstream: app', 'upstraem: app').replace('http://a', 'a:80');

describe('text', () => {
  test('of a good file is one line on stdout', async () => {
    const { code, stdout, stderr } = await run(['check', file('good.yaml', VALID)]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'good.yaml: ok\n', stderr: '' });
  });

  test('of a good file names listeners that only some workers would serve', async () => {
    const yaml = 'workers: 2\nlisteners: [{ name: local, bind: "unix:/run/x.sock" }]\nroutes: [{ respond: {} }]\n';
    const { code, stdout, stderr } = await run(['check', file('unix.yaml', yaml)]);
    assert.deepEqual([code, stdout], [0, 'unix.yaml: ok\n']);
    assert.match(stderr, /^fairlead: listener local is served by 1 of 2 workers: a Unix socket belongs to .*\n$/);
  });

  test('of a broken file is on stderr, with carets and without colour', async () => {
    const { code, stdout, stderr } = await run(['check', file('broken.yaml', BROKEN)]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.ok(!stderr.includes('\u001b'));
    assert.match(stderr, /^broken\.yaml:2:12: unknown key "upstraem"; did you mean "upstream"\?.*\[FL2001\]$/m);
    assert.match(stderr, /^ {4}2 \| routes: \[\{ upstraem: app \}\]\n {6}\| {12}\^{8} write upstream$/m);
    assert.match(stderr, /^broken\.yaml:3:33: .* \[FL2006\]$/m);
    assert.match(stderr, /^2 errors, \d warnings?$/m);
  });

  test('has colour where it is asked for, and not against NO_COLOR', async () => {
    const name = file('broken.yaml', BROKEN);
    assert.ok((await run(['check', name], { FORCE_COLOR: '1' })).stderr.includes('\u001b[31m'));
    assert.ok(!(await run(['check', name], { NO_COLOR: '1' })).stderr.includes('\u001b'));
  });

  test('of warnings fails only under --strict', async () => {
    const name = file('warned.yaml', WARNED);
    const lenient = await run(['check', name]);
    assert.equal(lenient.code, 0);
    assert.match(lenient.stderr, /warning: .*\[FL9003\]/);
    assert.equal(lenient.stdout, 'warned.yaml: ok\n');
    const strict = await run(['check', '--strict', name]);
    assert.equal(strict.code, 3);
    assert.equal(strict.stdout, '');
  });

  test('of a file that is not there is exit code 2', async () => {
    const { code, stderr } = await run(['check', 'missing.yaml']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^missing\.yaml:1:1: the configuration file does not exist; fairlead init writes one \[FL1001\]$/m,
    );
  });
});

describe('JSON on stdout', () => {
  async function report(name: string, ...more: readonly string[]): Promise<{ code: number; report: CheckReport }> {
    const { code, stdout, stderr } = await run(['check', '--format', 'json', ...more, name]);
    assert.equal(stderr, '');
    return { code, report: JSON.parse(stdout) as CheckReport };
  }

  test('of a good file has no problem', async () => {
    const { code, report: good } = await report(file('good.yaml', VALID));
    assert.equal(code, 0);
    assert.deepEqual(good, { file: 'good.yaml', ok: true, errors: 0, warnings: 0, problems: [] });
  });

  test('of a broken file has the place, the code and the suggestion', async () => {
    const { code, report: broken } = await report(file('broken.yaml', BROKEN));
    assert.equal(code, 1);
    assert.equal(broken.ok, false);
    const { message, ...rest } = broken.problems[0]!;
    assert.match(message, /^unknown key/);
    assert.deepEqual(rest, {
      code: 'FL2001',
      severity: 'error',
      file: 'broken.yaml',
      line: 2,
      column: 12,
      endColumn: 20,
      path: 'routes[0].upstraem',
      suggestion: 'upstream',
      excerpt: 'routes: [{ upstraem: app }]',
      rendered: `broken.yaml:2:12: ${message} (routes[0].upstraem) [FL2001]
    2 | routes: [{ upstraem: app }]
      |            ^^^^^^^^ write upstream`,
    });
  });

  test('of warnings is ok, and exit code 3 under --strict', async () => {
    const { code, report: warned } = await report(file('warned.yaml', WARNED), '--strict');
    assert.equal(code, 3);
    assert.deepEqual([warned.ok, warned.errors, warned.warnings], [true, 0, 1]);
  });

  test('of a file that can not be read is JSON all the same', async () => {
    const { code, report: missing } = await report('missing.yaml');
    assert.equal(code, 2);
    assert.deepEqual(
      missing.problems.map((problem) => [problem.code, problem.line, problem.excerpt]),
      [['FL1001', 1, null]],
    );
  });
});

test('run tells the same in the same way and does not start', async () => {
  const { code, stderr } = await run(['run', '--config', file('broken.yaml', BROKEN)]);
  assert.equal(code, 1);
  assert.match(stderr, /\^{8} write upstream$/m);
});

test('a format that does not exist is wrong usage', async () => {
  assert.equal((await run(['check', '--format', 'xml', file('good.yaml', VALID)])).code, 2);
});

test('a code is explained, and a near one suggested', async () => {
  const explained = await run(['check', '--explain', 'fl9001']);
  assert.equal(explained.code, 0);
  assert.match(explained.stdout, /^FL9001 \(warning\): a route can never match$/m);
  const unknown = await run(['check', '--explain', 'FL200']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no code "FL200"; did you mean FL\d{4}\?/);
});

test('schema prints the file of the package', async () => {
  const { code, stdout } = await run(['schema']);
  assert.equal(code, 0);
  assert.equal(stdout, readFileSync(path.join(path.dirname(ENTRY), '../fairlead.schema.json'), 'utf8'));
});
