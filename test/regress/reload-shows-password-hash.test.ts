// The changes of a reload, which are logged and published, contained password hashes of `basicAuth`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, newTables } from '../../config/compile/compile.ts';
import { describeChanges } from '../../config/compile/diff.ts';
import { loadConfigText } from '../../config/load.ts';

const OLD = `$2y$10$${'a'.repeat(53)}`;
const NEW = `$2y$10$${'b'.repeat(53)}`;

function snapshotOf(route: string) {
  const text = `listeners: [{ name: web, bind: :80 }]\nroutes: [{ name: r, ${route} respond: {} }]\n`;
  const result = loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
  assert.ok(result.ok, JSON.stringify(result));
  return compile(result.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), 1);
}

const auth = (users: string) => `basicAuth: { users: { ${users} } },`;
const BOTH = auth(`alice: "${OLD}", j.doe: "${OLD}"`);

for (const [what, before, after, expected] of [
  ['a changed password', auth(`alice: "${OLD}"`), auth(`alice: "${NEW}"`), ['basicAuth.users.alice changed']],
  ['a new user', auth(`alice: "${OLD}"`), BOTH, ['basicAuth.users.j.doe changed']],
  ['a removed user', BOTH, auth(`alice: "${OLD}"`), ['basicAuth.users.j.doe changed']],
  ['a new policy', '', auth(`a: "${OLD}"`), null],
  ['a removed policy', auth(`a: "${OLD}"`), '', null],
] as const) {
  test(`${what} is reported without its hash`, () => {
    const lines = describeChanges(snapshotOf(before), snapshotOf(after));
    assert.ok(lines.length > 0);
    assert.doesNotMatch(lines.join(), /\$2y/);
    if (expected !== null)
      assert.deepEqual(
        lines,
        expected.map((line) => `route r: ${line}`),
      );
  });
}
