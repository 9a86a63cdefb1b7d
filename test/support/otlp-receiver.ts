// A receiver of OTLP over HTTP in JSON: checks each request against the specification and keeps its spans. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root span. */
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  /** Of Span.SpanKind. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly isError: boolean;
  /** `service.name` of its resource. */
  readonly service: string;
}

/** An answer in place of success. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** Answers of the next requests; success where there are none left. */
  readonly answers: ReceiverAnswer[];
  /** Violations of the specification. */
  readonly faults: string[];
}

export async function startReceiver(t: TestContext): Promise<OtlpReceiver> {
  const receiver = { spans: [], requests: [], answers: [], faults: [] } as unknown as Omit<OtlpReceiver, 'url'>;
  const server = createServer((request, response) => void receive(receiver, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...receiver, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function receive(
  receiver: Omit<OtlpReceiver, 'url'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  receiver.requests.push({ path: request.url!, headers: request.headers });
  const answer = receiver.answers.shift();
  if (answer !== undefined) {
    response.writeHead(answer.status, answer.fields).end(answer.body);
    return;
  }
  try {
    assert.equal(request.method, 'POST');
    assert.equal(request.headers['content-type'], 'application/json');
    const body = Buffer.concat(chunks);
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    receiver.spans.push(...spansOf(JSON.parse(text.toString('utf8'))));
  } catch (error) {
    receiver.faults.push((error as Error).message);
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}

/** Decodes an ExportTraceServiceRequest. @throws AssertionError where it breaks the protocol */
function spansOf(request: unknown): ReceivedSpan[] {
  return listIn(request, 'resourceSpans').flatMap((resourceSpans) => {
    const resource = attributesOf(propertyOf(propertyOf(resourceSpans, 'resource'), 'attributes'));
    const service = resource['service.name'];
    assert.equal(typeof service, 'string');
    return listIn(resourceSpans, 'scopeSpans').flatMap((scopeSpans) => {
      assert.equal(propertyOf(propertyOf(scopeSpans, 'scope'), 'name'), 'fairlead');
      return listIn(scopeSpans, 'spans').map((span) => spanOf(span as Record<string, unknown>, service as string));
    });
  });
}

function spanOf(span: Record<string, unknown>, service: string): ReceivedSpan {
  const { traceId, spanId, parentSpanId = '', traceState = '', name, kind, status } = span;
  assert.match(traceId as string, /^[0-9a-f]{32}$/);
  assert.match(spanId as string, /^[0-9a-f]{16}$/);
  if (parentSpanId !== '') assert.match(parentSpanId as string, /^[0-9a-f]{16}$/);
  assert.ok(typeof name === 'string' && name !== '');
  assert.ok([1, 2, 3, 4, 5].includes(kind as number));
  const [startNs, endNs] = [nanosecondsOf(span['startTimeUnixNano']), nanosecondsOf(span['endTimeUnixNano'])];
  assert.ok(endNs >= startNs, `${name} ends before it begins`);
  const code = status === undefined ? 0 : propertyOf(status, 'code');
  assert.ok(code === 0 || code === 2);
  return {
    traceId: traceId as string,
    spanId: spanId as string,
    parentId: parentSpanId as string,
    state: traceState as string,
    name,
    kind: kind as number,
    startNs,
    endNs,
    service,
    isError: code === 2,
    attributes: attributesOf(span['attributes']),
  };
}

/** 64-bit integers are texts. */
function nanosecondsOf(value: unknown): bigint {
  assert.match(value as string, /^\d{19}$/);
  return BigInt(value as string);
}

function attributesOf(list: unknown): Record<string, string | number | boolean> {
  assert.ok(Array.isArray(list));
  const pairs = (list as { key: string; value: Record<string, unknown> }[]).map(({ key, value }) => {
    assert.match(key, /^[a-z][\w.]*$/);
    const [[type, content]] = Object.entries(value) as [[string, unknown]];
    if (type === 'intValue') assert.match(content as string, /^-?\d+$/);
    else assert.equal(typeof content, type === 'boolValue' ? 'boolean' : 'string', `${key} is no ${type}`);
    return [key, type === 'intValue' ? Number(content) : (content as string | boolean)] as const;
  });
  assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, 'an attribute occurs twice');
  return Object.fromEntries(pairs);
}

function listIn(value: unknown, key: string): unknown[] {
  const list = propertyOf(value, key);
  assert.ok(Array.isArray(list), `${key} is no list`);
  return list;
}

function propertyOf(value: unknown, key: string): unknown {
  assert.ok(typeof value === 'object' && value !== null);
  return (value as Record<string, unknown>)[key];
}
