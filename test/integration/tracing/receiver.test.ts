// The exporter against real receivers: fields, compression, 429 with Retry-After, and one that never answers. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { OtlpClient } from '../../../control/tracing/otlp-client.ts';
import { TraceExporter } from '../../../control/tracing/trace-exporter.ts';
import { systemRandom } from '../../../core/random.ts';
import type { TracingSnapshot } from '../../../core/snapshot/tracing.ts';
import { systemTimers } from '../../../core/timers.ts';
import { spanJson } from '../../../proxy/account/traces/span-json.ts';
import { eventually } from '../../support/fairlead.ts';
import { SILENT_LOG } from '../../support/loggers.ts';
import { startReceiver } from '../../support/otlp-receiver.ts';
import { snapshot } from '../../support/snapshots.ts';

function exporterTo(t: TestContext, url: string, settings: Partial<TracingSnapshot> = {}): TraceExporter {
  const exporter = new TraceExporter({
    timers: systemTimers,
    random: systemRandom,
    log: SILENT_LOG,
    version: '1.2.3',
    connect: (tracing) => new OtlpClient(tracing, '1.2.3'),
  });
  const tracing = { url, secrets: [], resource: ['service.name', 'edge'], timeoutMs: 5000, queueBytes: 1_000_000 };
  exporter.apply(snapshot({ tracing: { ...tracing, isCompressed: false, ...settings } }));
  t.after(() => exporter.stop());
  return exporter;
}

const SPAN = spanJson({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentId: '',
  name: 'GET "é"',
  kind: 2,
  startMs: 1_790_000_000_000.123,
  endMs: 1_790_000_000_001,
  attributes: [],
  error: null,
});
const BATCH = { bytes: Buffer.from(SPAN), spans: 1, dropped: 0, exemplars: [] };

test('requests have the configured fields, and are compressed where that is configured', async (t) => {
  const receiver = await startReceiver(t);
  const secrets = ['authorization', 'Bearer x', 'x-scope-orgid', 'team'];
  const exporter = exporterTo(t, `${receiver.url}/v1/traces`, { secrets, isCompressed: true });
  exporter.add(BATCH);
  await eventually(() => exporter.counts.exported === 1, 'the span is exported');
  assert.deepEqual(receiver.faults, []);
  assert.deepEqual(
    receiver.spans.map(({ name, startNs, service }) => [name, startNs, service]),
    [['GET "é"', 1_790_000_000_000_123_000n, 'edge']],
  );
  const [{ path, headers }] = receiver.requests as [(typeof receiver.requests)[number]];
  assert.equal(path, '/v1/traces');
  assert.partialDeepStrictEqual(headers, {
    authorization: 'Bearer x',
    'x-scope-orgid': 'team',
    'content-encoding': 'gzip',
    'user-agent': 'fairlead/1.2.3',
  });
});

test('a span arrives once after 429, 503 and a refused request before it', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answers.push({ status: 400, body: 'no' }, { status: 429, fields: { 'retry-after': '1' } });
  const exporter = exporterTo(t, receiver.url);
  exporter.add(BATCH);
  await eventually(() => exporter.counts.lost.refused === 1, 'the first is refused');
  exporter.add(BATCH);
  await eventually(() => exporter.counts.exported === 1, 'the second is exported');
  assert.deepEqual([receiver.spans.length, receiver.requests.length], [1, 3]);
});

test('a receiver that never answers costs its timeout', async (t) => {
  const server = createServer(() => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const exporter = exporterTo(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { timeoutMs: 50 });
  exporter.add(BATCH);
  await eventually(() => exporter.counts.failedRequests === 1, 'the request fails');
  assert.equal(exporter.queuedBytes, SPAN.length + 1);
});
