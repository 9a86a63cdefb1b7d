// Cost of an access-log line: ns to format it, and to format it and pass it to a destination, beside the cost of
// JSON.stringify. Usage: node scripts/bench/log-line.ts. Thread: main.

import { bench, do_not_optimize as keep, group, run } from 'mitata';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { systemTimers } from '../../core/timers.ts';
import { LogDestination } from '../../logging/destination/log-destination.ts';
import { FORMATS } from '../../test/support/log-formats.ts';
import { requestHead } from '../../test/support/request-head.ts';
import { phasesOf, recordOf, USER_AGENT } from '../../test/unit/logging/access/sample-record.ts';

const VARIANTS = 64;

/** Records that differ as real ones do. Each has new strings, as a parser produces. */
function variant(i: number): ExchangeRecord {
  const fresh = (text: string) => Buffer.from(text).toString('latin1');
  const fields = new Map([
    ['user-agent', fresh(USER_AGENT)],
    ['referer', fresh('https://www.example.com/start')],
  ]);
  const head = {
    ...requestHead({ target: fresh(`/v1/users/${i}?page=2&sort=name`), authority: fresh('api.example.com') }),
    field: (name: string) => fields.get(name),
  };
  const phases = phasesOf({ requestMs: 0.12, connectMs: 0.5 + i / 7, responseMs: 1.7 + i / 3, totalMs: 2.4 + i / 3 });
  return recordOf({ head, phases, beganWallMs: Date.now() + i * 7, clientAddress: fresh(`203.0.113.${i}`) });
}

const records = Array.from({ length: VARIANTS }, (_, i) => variant(i));
let turn = 0;
const next = (): ExchangeRecord => records[turn++ & (VARIANTS - 1)]!;

/** An object with the keys and values of one JSON log line. */
function objectOf(record: ExchangeRecord): object {
  const { connection, head, phases, upstream, endpoint } = record;
  return {
    time: new Date(record.beganWallMs).toISOString(),
    requestId: record.requestId,
    client: record.clientAddress,
    peer: connection.peerAddress,
    peerPort: connection.peerPort,
    listener: connection.listenerName,
    tls: connection.isTls,
    method: head?.method,
    host: head?.authority,
    target: head?.target,
    version: head?.version,
    status: record.status,
    bytesReceived: record.bytesReceived,
    bytesSent: record.bytesSent,
    route: record.routeName,
    upstream: upstream?.name,
    endpoint: endpoint?.id,
    termination: record.termination,
    letters: '--',
    ...phases,
    attempts: record.attempts,
    redispatched: record.wasRedispatched,
    retry: record.retryVerdict,
    failure: record.failureKind,
    upgraded: record.wasUpgraded,
    userAgent: head?.field('user-agent'),
    referer: head?.field('referer'),
  };
}

function destinationTo(output: string): LogDestination {
  return new LogDestination({ output, timers: systemTimers, onTrouble: (trouble) => console.error(trouble) });
}

const toNull = destinationTo('/dev/null');

group('a line', () => {
  for (const [name, format] of Object.entries(FORMATS)) bench(name, () => keep(format(next())));
  bench('JSON.stringify of an object', () => keep(`${JSON.stringify(objectOf(next()))}\n`));
});

group('a line, and its share of the writes', () => {
  for (const [name, format] of Object.entries(FORMATS)) bench(name, () => toNull.append(format(next())));
  bench('JSON.stringify of an object', () => toNull.append(`${JSON.stringify(objectOf(next()))}\n`));
});

await run();
await toNull.close();
