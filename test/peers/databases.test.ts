// Real databases behind TCP listeners: heartbeats tell the roles apart, a killed primary is left at once, and clients reach
// the promoted one. Thread: main.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { HeartbeatResult } from '../../health/checkers/checker.ts';
import { checkerNamed } from '../../health/checkers/checkers.ts';
import { ENDPOINT } from '../../core/memory/layout.ts';
import { loginSettings } from '../../health/checkers/role.ts';
import { PASSWORD, type ReplicatedServers, startMariadb, startPostgres, startRedis } from '../support/databases.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { resultOf, targetAt } from '../support/heartbeat-target.ts';
import { requirePeer } from '../support/peers.ts';
import { tcpClient } from '../support/tcp-endpoint.ts';

interface Database {
  readonly type: 'redis' | 'postgres' | 'mysql';
  /** '' for none. */
  readonly user: string;
}

function yamlFor({ type, user }: Database, { ports }: ReplicatedServers): string {
  const login = `${user === '' ? '' : `user: ${user}, `}password: ${PASSWORD}`;
  return `
workers: 2
listeners: [{ name: db, mode: tcp, bind: "127.0.0.1:0" }]
routes: [{ upstream: db }]
upstreams:
  db:
    endpoints: [${ports.map((port) => `"tcp://127.0.0.1:${port}"`).join(', ')}]
    onDown: close
    timeouts: { queue: 60s }
    health:
      heartbeat: { type: ${type}, ${login}, expectRole: primary, interval: 200ms, fastInterval: 100ms, downInterval: 200ms, timeout: 200ms }
`;
}

/** Logs in, and finds out the role, as a client of a port. */
function askRole({ type, user }: Database, port: number): Promise<HeartbeatResult> {
  const settings = { ...loginSettings({ user, password: PASSWORD, expectRole: 'primary' }), database: '' };
  return resultOf(
    checkerNamed(type),
    targetAt({ port, protocol: 'tcp' }, { kind: type, ...settings, timeoutMs: 5000 }),
  );
}

function stateOf({ plane }: RunningFairlead, at: number): string {
  const { availability, cause } = plane.health.endpoints()[at]!;
  return `${availability}: ${cause}`;
}

function inFlightAt({ plane: { region, health } }: RunningFairlead, at: number): number {
  return region.words[region.endpointWord(health.endpoints()[at]!.slot) + ENDPOINT.inflight.index]!;
}

/** The primary dies, and its replica is promoted. */
async function failOver(t: TestContext, database: Database, servers: ReplicatedServers): Promise<void> {
  assert.deepEqual(await askRole(database, servers.ports[0]), { kind: 'ok', cause: 'is a primary' });
  const isReplica = async (): Promise<boolean> => (await askRole(database, servers.ports[1])).isWrongRole === true;
  await eventually(isReplica, 'the replica follows, and says that it is one');
  const fairlead = await startFairlead(t, yamlFor(database, servers));
  await eventually(() => /^down: .*is a replica/.test(stateOf(fairlead, 1)), 'the replica is out');
  assert.deepEqual(await askRole(database, fairlead.port), { kind: 'ok', cause: 'is a primary' });
  const open = tcpClient(fairlead.port);
  await eventually(() => inFlightAt(fairlead, 0) === 1, 'a session is open');
  servers.kill();
  await open.closed;
  await eventually(() => stateOf(fairlead, 0).startsWith('down'), 'the killed one is down');
  const waiting = askRole(database, fairlead.port);
  await servers.promote();
  assert.deepEqual(await waiting, { kind: 'ok', cause: 'is a primary' });
  await eventually(() => stateOf(fairlead, 1).startsWith('up'), 'the promoted one is up');
  assert.deepEqual(await askRole(database, fairlead.port), { kind: 'ok', cause: 'is a primary' });
}

test('Redis: clients reach the promoted replica', async (t) => {
  const program = requirePeer(t, 'redis-server');
  if (program !== undefined) await failOver(t, { type: 'redis', user: '' }, await startRedis(t, program));
});

test('PostgreSQL: clients reach the promoted standby', async (t) => {
  const program = requirePeer(t, 'postgres');
  if (program !== undefined) await failOver(t, { type: 'postgres', user: '' }, await startPostgres(t, program));
});

test('MariaDB: clients reach the promoted replica', async (t) => {
  const server = requirePeer(t, 'mariadbd');
  const install = server && requirePeer(t, 'mariadb-install-db');
  const client = install && requirePeer(t, 'mariadb');
  if (server === undefined || install === undefined || client === undefined) return;
  await failOver(t, { type: 'mysql', user: 'app' }, await startMariadb(t, { server, install, client }));
});
