// Workers with listeners of their own, for the tests of listeners. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../../core/clock.ts';
import { Region } from '../../../../core/memory/region.ts';
import type { ListenerSnapshot } from '../../../../core/snapshot/listener.ts';
import { Downstream } from '../../../../proxy/downstream/downstream.ts';
import { ScriptedStarter } from '../../../contract/proxy/downstream/scripted-starter.ts';
import { sharedParts } from '../../../support/http1-parts.ts';
import { SILENT_LOG } from '../../../support/loggers.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { listenerSnapshot } from '../../../support/snapshots.ts';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Workers over one region, each with its Downstream; all are ended at the end. */
export async function withWorkers(
  count: number,
  play: (workers: Downstream[], starter: ScriptedStarter, region: Region) => Promise<void>,
  isFast = false,
): Promise<void> {
  const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: count, listeners: 4 }, 0);
  const starter = new ScriptedStarter();
  const make = (worker: number): Downstream =>
    new Downstream({
      starter,
      region,
      worker,
      clock: systemClock,
      log: SILENT_LOG,
      sweepIntervalMs: 20,
      ...(isFast ? { fast: sharedParts() } : {}),
    });
  const workers = Array.from({ length: count }, (_, worker) => make(worker));
  try {
    await play(workers, starter, region);
  } finally {
    await Promise.all(workers.map((worker) => worker.drain(0)));
  }
}

export function onPort(port: number, parts: Partial<ListenerSnapshot> = {}): ListenerSnapshot {
  return listenerSnapshot({ bind: { kind: 'tcp', host: '127.0.0.1', port }, ...parts });
}

export async function ask(client: RawClient, starter: ScriptedStarter): Promise<string> {
  client.send(GET);
  (await starter.next()).answer('here');
  return (await client.readResponse()).body;
}

export async function connected(port: number, starter: ScriptedStarter): Promise<RawClient> {
  const client = await RawClient.connect({ port });
  assert.equal(await ask(client, starter), 'here');
  return client;
}

export function withDirectory(play: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'fairlead-listeners-'));
  return play(directory).finally(() => rmSync(directory, { recursive: true }));
}
