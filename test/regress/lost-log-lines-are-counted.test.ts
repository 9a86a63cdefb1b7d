// Lost access log lines were reported in the process log only: no metric counted them. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startFairlead } from '../support/fairlead.ts';

const CONFIG = `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ respond: { status: 204 } }]
upstreams: {}
accessLog: { format: json, output: /dev/full }
admin: { bind: "127.0.0.1:0" }
`;

test('access log lines that the disk does not take are counted in fairlead_log_lines_lost_total', async (t) => {
  const fairlead = await startFairlead(t, CONFIG);
  const lost = async (log: string): Promise<number> => {
    const text = await (await fetch(`${fairlead.adminUrl}/metrics`)).text();
    return Number(new RegExp(`^fairlead_log_lines_lost_total\\{log="${log}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  assert.deepEqual([await lost('access'), await lost('process')], [0, 0]);
  for (let count = 0; count < 10; count++) assert.equal((await fetch(fairlead.url)).status, 204);
  await eventually(async () => (await lost('access')) === 10, 'ten lines are lost');
  const warning = fairlead.log.find(
    ({ text }) => text === 'access log /dev/full is losing lines: no space left on the disk (ENOSPC): free some',
  );
  assert.equal(warning?.level, 'warn');
});
