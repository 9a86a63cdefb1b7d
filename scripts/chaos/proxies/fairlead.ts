// Fairlead as users run it. Its access log explains the outcome of single requests. Thread: main.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endWithUs } from '../../peers/program.ts';
import { fairleadVersion } from '../../bench/versions.ts';
import { FairleadProcess } from '../../peers/fairlead-process.ts';
import { fairleadConfig } from '../fairlead-config.ts';
import type { Proxy, ProxySetup, RunningProxy } from './proxy.ts';

export const fairlead: Proxy = { name: 'fairlead', version: fairleadVersion, balances: () => true, start };

/** Fields of the access log that explain an outcome. */
const EXPLANATORY_FIELDS = [
  'endpoint',
  'status',
  'termination',
  'attempts',
  'retry',
  'queueMs',
  'connectMs',
  'responseMs',
  'totalMs',
];

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const { folder, endpointPorts, workers, cores, profile } = setup;
  const accessLogFile = join(folder, 'access.log');
  const process = await FairleadProcess.start(
    ({ web, admin }) =>
      fairleadConfig({ webPort: web, adminPort: admin, endpointPorts, workers, accessLogFile }, profile),
    ['taskset', '-c', cores],
  );
  endWithUs(process.child);
  return {
    port: Number(new URL(process.url).port),
    explain: (id) => explain(accessLogFile, id),
    notes: async () => [...process.log, ...(await counters(process.adminUrl))],
    stop: async () => {
      await process.stop();
    },
  };
}

async function explain(file: string, id: string): Promise<string> {
  const lines = (await readFile(file, 'latin1')).split('\n').filter((line) => line.includes(`/r/${id}?`));
  const stories = lines.map((line) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    return EXPLANATORY_FIELDS.filter((key) => record[key] !== undefined)
      .map((key) => `${key} ${String(record[key])}`)
      .join(', ');
  });
  return stories.join(' | ') || 'not in the access log';
}

/** Counters of the upstream and its endpoints that are not zero. */
async function counters(adminUrl: string): Promise<readonly string[]> {
  const text = await (await fetch(`${adminUrl}/metrics?scope=upstream&scope=endpoint`)).text();
  return text.split('\n').filter((line) => /^fairlead_\w+_total/.test(line) && !line.endsWith(' 0'));
}
