// Output and exit code of `fairlead reload` for each reply. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reloadReport } from '../../../../../bin/commands/live/reload.ts';
import { loadConfigText } from '../../../../../config/load.ts';
import { problemJson } from '../../../../../config/problems/problem-report.ts';

function findingsIn(yaml: string): object[] {
  const loaded = loadConfigText(yaml, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
  assert(!loaded.ok);
  return loaded.problems.map(problemJson);
}

describe('fairlead reload', () => {
  test('lists what changed and ends with 0', () => {
    const body = { generation: 7, changes: ['upstream app: endpoint http://a:1 added', 'route x: \u001b[31mred'] };
    const { lines, exitCode } = reloadReport({ status: 200, body, tag: null });
    assert.equal(exitCode, 0);
    assert.deepEqual(lines, [
      'revision 7 runs: 2 changes',
      '  upstream app: endpoint http://a:1 added',
      '  route x: ?[31mred',
    ]);
  });

  test('says that nothing has changed', () => {
    const { lines } = reloadReport({ status: 200, body: { generation: 2, changes: [] }, tag: null });
    assert.deepEqual(lines, ['revision 2 runs: nothing has changed']);
  });

  test('shows the line of each problem with a caret, and ends with 1', () => {
    const findings = findingsIn('listeners: [{ bind: "127.0.0.1:1" }]\nroutes: [{ upstream: a }]\nupstreams: { b: 1 }');
    const body = { detail: 'the configuration is refused; nothing has changed', findings, problems: ['x'] };
    const { lines, exitCode } = reloadReport({ status: 422, body, tag: null });
    assert.equal(exitCode, 1);
    assert.match(lines[0]!, /^f\.yaml:\d+:\d+: [^\n]+\n +\d+ \| [^\n]+\n +\| +\^+/);
    assert.equal(lines.at(-1), 'fairlead: the configuration is refused; nothing has changed');
  });

  test('ends with 4 where a valid configuration can not be taken over, and says why', () => {
    const body = {
      detail: 'the configuration is refused',
      problems: ['more than 8 workers need a restart'],
      findings: [],
    };
    const { lines, exitCode } = reloadReport({ status: 422, body, tag: null });
    assert.equal(exitCode, 4);
    assert.deepEqual(lines, ['fairlead: the configuration is refused', '  more than 8 workers need a restart']);
  });
});
