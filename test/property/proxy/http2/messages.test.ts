// Random messages between our codec and a client session of node:http2: its requests as we read them, our responses as it
// reads them. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../../../../core/random.ts';
import { Framing } from '../../../../proxy/http1/framing.ts';
import { MessageHead } from '../../../../proxy/http1/message-head.ts';
import type { ErrorCode } from '../../../../proxy/http2/error-code.ts';
import { CONNECTION_PREFACE } from '../../../../proxy/http2/frame-format.ts';
import { FrameReader, type FrameSink } from '../../../../proxy/http2/frame-reader.ts';
import { FrameMemory, FrameWriter } from '../../../../proxy/http2/frame-writer.ts';
import { RequestReader } from '../../../../proxy/http2/request-reader.ts';
import { NO_TABLE_UPDATE, ResponseBlockEncoder } from '../../../../proxy/http2/response-block.ts';

const RULES = {
  listBytes: 65_535,
  fields: 200,
  underscores: 'pass',
  pathBytes: 10_000,
  enablesConnectProtocol: false,
} as const;

const NAMES = ['x-a', 'x-b', 'accept', 'user-agent', 'x-long-name-of-a-field', 'cache-control', 'x_y'];
const ALPHABET = 'abcdefghij0123456789 ;=,/"~^|\xe4\xff';

function text(random: Random, most: number): string {
  const length = randomBelow(random, most);
  const characters = Array.from({ length }, () => ALPHABET[randomBelow(random, ALPHABET.length)]);
  return characters.join('').trim();
}

/** Fields of distinct names, so that their order is the only one. */
function fieldsOf(random: Random): [string, string][] {
  const names = NAMES.filter(() => randomBelow(random, 2) === 0);
  return names.map((name) => [name, text(random, randomBelow(random, 10) === 0 ? 3000 : 20)]);
}

interface Planned {
  readonly status: number;
  readonly fields: readonly [string, string][];
  readonly body: Buffer;
  readonly trailers: readonly [string, string][];
}

/** A server of a few lines over our codec; answers each request at its end, as `plan` says. */
class Server extends Duplex implements FrameSink {
  /** Heads of the requests, and their bodies. */
  readonly requests: { readonly head: string; body: string }[] = [];
  readonly #plan: () => Planned;
  readonly #frames = new FrameReader(this);
  readonly #requests = new RequestReader(4096, RULES);
  readonly #writer = new FrameWriter(new FrameMemory());
  readonly #blocks = new ResponseBlockEncoder();
  #toSkip = CONNECTION_PREFACE.length;
  #hasSentBlock = false;
  #lastStream = 0;

  constructor(plan: () => Planned) {
    super();
    this.#plan = plan;
    this.#writer.addSettings([]);
    this.#flush();
  }

  override _read(): void {
    // Frames are pushed as they are made.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const skipped = Math.min(this.#toSkip, chunk.length);
    this.#toSkip -= skipped;
    this.#frames.feed(chunk, skipped, chunk.length);
    this.#flush();
    done();
  }

  onDataStart(): void {
    // Only its bytes matter.
  }

  onData(_stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.requests.at(-1)!.body += Buffer.from(bytes.subarray(start, end)).toString('latin1');
  }

  onDataEnd(stream: number, isEndStream: boolean): void {
    if (isEndStream) this.#answer(stream);
  }

  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    assert.ok(stream > this.#lastStream);
    this.#lastStream = stream;
    const head = new MessageHead();
    assert.equal(this.#requests.read(block, start, end, isEndStream, head, new Framing()), null);
    this.requests.push({ head: head.text, body: '' });
    if (isEndStream) this.#answer(stream);
  }

  onReset(): void {
    assert.fail('RST_STREAM');
  }

  onSettings(): void {
    this.#writer.addSettingsAck();
  }

  onSettingsAck(): void {
    // Ours are the defaults.
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (!isAck) this.#writer.addPing(true, bytes, start);
  }

  onGoaway(): void {
    // The client is done.
  }

  onWindowUpdate(): void {
    // Its windows are larger than all responses.
  }

  onStreamError(stream: number, code: ErrorCode): void {
    assert.fail(`error ${code} on ${stream}`);
  }

  onConnectionError(code: ErrorCode, reason: string): void {
    assert.fail(`error ${code}: ${reason}`);
  }

  #answer(stream: number): void {
    const { status, fields, body, trailers } = this.#plan();
    const block = this.#blocks.head(status, fields.flat(), body.length);
    const whole = this.#hasSentBlock ? block : Buffer.concat([Buffer.of(NO_TABLE_UPDATE), block]);
    this.#hasSentBlock = true;
    this.#writer.addHeaders(stream, false, whole, 0, whole.length);
    if (body.length > 0) this.#writer.addData(stream, false, body, 0, body.length);
    const last = this.#blocks.trailers(trailers.flat());
    if (last === null) this.#writer.endStream(stream);
    else this.#writer.addHeaders(stream, true, last, 0, last.length);
  }

  #flush(): void {
    const { length } = this.#writer;
    if (length > 0) this.push(this.#writer.take().subarray(0, length));
  }
}

interface Received {
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
  readonly trailers: Record<string, unknown>;
}

async function ask(session: ClientHttp2Session, fields: readonly [string, string][], body: string): Promise<Received> {
  const stream = session.request({
    ':method': 'POST',
    ':authority': 'a.test',
    ':path': '/x',
    ...Object.fromEntries(fields),
  });
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received) => (trailers = received));
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.end(body, 'latin1');
  await once(stream, 'close');
  return { headers, body: Buffer.concat(parts), trailers };
}

test('requests of node:http2 are read, and our responses are read by it, whatever their fields and bodies', async () => {
  const random = seededRandom(9113);
  let planned: Planned;
  const server = new Server(() => planned);
  const session = connect('http://a.test', { createConnection: () => server });
  session.on('error', () => undefined);
  for (let round = 0; round < 150; round += 1) {
    const [fields, body] = [fieldsOf(random), text(random, 400)];
    planned = {
      status: 200 + randomBelow(random, 4) * 100,
      fields: fieldsOf(random),
      body: Buffer.from(text(random, 400), 'latin1'),
      trailers: randomBelow(random, 3) === 0 ? fieldsOf(random) : [],
    };
    const received = await ask(session, fields, body);
    const request = server.requests.at(-1)!;
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    assert.equal(request.head, `POST /x HTTP/1.1\r\nhost: a.test\r\n${lines}\r\n`);
    assert.equal(request.body, body);
    assert.equal(received.headers[':status'], planned.status);
    for (const [name, value] of planned.fields) assert.equal(received.headers[name], value);
    assert.deepEqual(received.body, planned.body);
    assert.deepEqual(Object.entries(received.trailers), planned.trailers);
  }
  session.destroy();
});
