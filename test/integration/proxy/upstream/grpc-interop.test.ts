// The interoperability cases of gRPC (grpc/doc/interop-test-descriptions.md) through a complete Fairlead, over cleartext and TLS:
// @grpc/grpc-js on both ends, messages as JSON with padding in place of protocol buffers. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';
import {
  grpc,
  type GrpcCall,
  type GrpcCallback,
  type GrpcClient,
  type GrpcError,
  type Metadata,
} from '../../../support/grpc-library.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

interface Message {
  /** Bytes of padding in this message, and in those that it requests. */
  readonly size?: number;
  readonly responseSizes?: readonly number[];
  readonly total?: number;
  /** The status with which the call is to end. */
  readonly status?: { readonly code: number; readonly details: string };
}

const same = (bytes: Buffer): Buffer => bytes;
const encode = (message: Message): Buffer =>
  Buffer.concat([Buffer.from(`${JSON.stringify(message)}\n`), Buffer.alloc(message.size ?? 0)]);

function decode(bytes: Buffer): Message {
  const end = bytes.indexOf(10);
  const message = JSON.parse(bytes.toString('utf8', 0, end)) as Message;
  assert.equal(bytes.length - end - 1, message.size ?? 0, 'the padding is whole');
  return message;
}

const SERVICE = '/grpc.testing.TestService';
const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';
const [OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED] = [0, 1, 2, 4, 12];

function definitionOf(name: string, requestStream: boolean, responseStream: boolean): object {
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  return { path: `${SERVICE}/${name}`, requestStream, responseStream, ...codec };
}

/** Returns the trailers of a call, whose metadata it echoes. */
function echoMetadata(call: GrpcCall): Metadata {
  const [initial, trailers] = [new grpc.Metadata(), new grpc.Metadata()];
  for (const value of call.metadata.get(INITIAL)) initial.set(INITIAL, value as string);
  for (const value of call.metadata.get(TRAILING)) trailers.set(TRAILING, value as string);
  call.sendMetadata(initial);
  return trailers;
}

function unary(call: GrpcCall, done: (error: object | null, response?: Buffer, trailers?: Metadata) => void): void {
  const trailers = echoMetadata(call);
  const { status, responseSizes = [0] } = decode(call.request);
  if (status === undefined) done(null, encode({ size: responseSizes[0]! }), trailers);
  else done(status);
}

function collect(call: GrpcCall, done: GrpcCallback): void {
  let total = 0;
  call.on('error', () => undefined);
  call.on('data', (bytes: Buffer) => void (total += decode(bytes).size ?? 0));
  call.on('end', () => done(null, encode({ total })));
}

function stream(call: GrpcCall): void {
  for (const size of decode(call.request).responseSizes ?? []) call.write(encode({ size }));
  call.end();
}

function duplex(call: GrpcCall & { end(trailers?: Metadata): void }): void {
  const trailers = echoMetadata(call);
  call.on('error', () => undefined);
  call.on('data', (bytes: Buffer) => {
    const { status, responseSizes = [] } = decode(bytes);
    if (status !== undefined) call.emit('error', status);
    else for (const size of responseSizes) call.write(encode({ size }));
  });
  call.on('end', () => call.end(trailers));
}

async function startServer(): Promise<{ readonly port: number; close(): void }> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const methods = {
    unary: definitionOf('UnaryCall', false, false),
    collect: definitionOf('StreamingInputCall', true, false),
    stream: definitionOf('StreamingOutputCall', false, true),
    duplex: definitionOf('FullDuplexCall', true, true),
  };
  server.addService(methods, { unary, collect, stream, duplex });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number): void => (error === null ? resolve(at) : reject(error));
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), bound);
  });
  return { port, close: () => server.forceShutdown() };
}

/** The outcome of a call. */
interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly messages: readonly Message[];
  readonly initial: readonly unknown[];
  readonly trailing: readonly unknown[];
}

/** Collects the outcome of a call with streamed responses. */
async function outcomeOf(call: GrpcCall): Promise<Outcome> {
  const messages: Message[] = [];
  let initial: readonly unknown[] = [];
  call.on('error', () => undefined);
  call.on('metadata', (metadata: Metadata) => void (initial = metadata.get(INITIAL)));
  call.on('data', (bytes: Buffer) => void messages.push(decode(bytes)));
  // Not once(), which rejects with the error that a failed call emits first.
  const status = await new Promise<GrpcError & { readonly metadata: Metadata }>((resolve) =>
    call.on('status', resolve),
  );
  const { code, details, metadata } = status;
  return { code, details, messages, initial, trailing: metadata.get(TRAILING) };
}

class Interop {
  readonly #client: GrpcClient;

  constructor(port: number, isTls: boolean) {
    const { credentials, Client } = grpc;
    const made = isTls ? credentials.createSsl(Buffer.from(ORIGIN_CERTIFICATE)) : credentials.createInsecure();
    const options = { 'grpc.ssl_target_name_override': 'origin.test', 'grpc.use_local_subchannel_pool': 1 };
    this.#client = new Client(`127.0.0.1:${port}`, made, { ...options, 'grpc.max_receive_message_length': -1 });
  }

  close(): void {
    this.#client.close();
  }

  async unary(message: Message, metadata = new grpc.Metadata(), path = `${SERVICE}/UnaryCall`): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Message[]>();
    const done: GrpcCallback = (_error, response) => resolve(response === undefined ? [] : [decode(response)]);
    const call = this.#client.makeUnaryRequest(path, same, same, encode(message), metadata, {}, done);
    return { ...(await outcomeOf(call)), messages: await promise };
  }

  collect(done: GrpcCallback): GrpcCall {
    return this.#client.makeClientStreamRequest(
      `${SERVICE}/StreamingInputCall`,
      same,
      same,
      new grpc.Metadata(),
      {},
      done,
    );
  }

  stream(message: Message): GrpcCall {
    const metadata = new grpc.Metadata();
    return this.#client.makeServerStreamRequest(
      `${SERVICE}/StreamingOutputCall`,
      same,
      same,
      encode(message),
      metadata,
      {},
    );
  }

  duplex(metadata = new grpc.Metadata(), options: { readonly deadline?: number } = {}): GrpcCall {
    return this.#client.makeBidiStreamRequest(`${SERVICE}/FullDuplexCall`, same, same, metadata, options);
  }
}

const PINGS = [
  { size: 27_182, responseSizes: [31_415] },
  { size: 8, responseSizes: [9] },
  { size: 1828, responseSizes: [2653] },
  { size: 45_904, responseSizes: [58_979] },
] as const;

function customMetadata(): Metadata {
  const metadata = new grpc.Metadata();
  metadata.set(INITIAL, 'test_initial_metadata_value');
  metadata.set(TRAILING, Buffer.from([0xab, 0xab, 0xab]) as never);
  return metadata;
}

type Case = (interop: Interop) => Promise<void>;

const UNARY_CASES: Readonly<Record<string, Case>> = {
  empty_unary: async (interop) => assert.equal((await interop.unary({})).code, OK),
  large_unary: async (interop) => {
    const { code, messages } = await interop.unary({ size: 271_828, responseSizes: [314_159] });
    assert.deepEqual([code, messages], [OK, [{ size: 314_159 }]]);
  },
  custom_metadata: async (interop) => {
    const call = interop.duplex(customMetadata());
    const streamed = outcomeOf(call);
    call.write(encode(PINGS[0]));
    call.end();
    for (const outcome of [await interop.unary({}, customMetadata()), await streamed]) {
      assert.deepEqual([outcome.code, outcome.initial], [OK, ['test_initial_metadata_value']]);
      assert.deepEqual(outcome.trailing, [Buffer.from([0xab, 0xab, 0xab])]);
    }
  },
  status_code_and_message: (interop) => endsWith(interop, 'test status message'),
  special_status_message: (interop) =>
    endsWith(interop, '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'),
  unimplemented_method: async (interop) =>
    assert.equal((await interop.unary({}, undefined, `${SERVICE}/UnimplementedCall`)).code, UNIMPLEMENTED),
  unimplemented_service: async (interop) =>
    assert.equal((await interop.unary({}, undefined, '/grpc.testing.Unimplemented/Call')).code, UNIMPLEMENTED),
};

/** Unary and duplex calls end with a status that their message requests. */
async function endsWith(interop: Interop, details: string): Promise<void> {
  const status = { code: UNKNOWN, details };
  const call = interop.duplex();
  const streamed = outcomeOf(call);
  call.write(encode({ status }));
  for (const outcome of [await interop.unary({ status }), await streamed]) {
    assert.deepEqual([outcome.code, outcome.details], [UNKNOWN, details]);
  }
  call.end();
}

const STREAM_CASES: Readonly<Record<string, Case>> = {
  client_streaming: async (interop) => {
    const { promise, resolve } = Promise.withResolvers<Message>();
    const call = interop.collect((_error, response) => resolve(decode(response!)));
    for (const size of [27_182, 8, 1828, 45_904]) call.write(encode({ size }));
    call.end();
    assert.equal((await promise).total, 74_922);
  },
  server_streaming: async (interop) => {
    const responseSizes = [31_415, 9, 2653, 58_979];
    const { code, messages } = await outcomeOf(interop.stream({ responseSizes }));
    assert.deepEqual([code, messages.map(({ size }) => size)], [OK, responseSizes]);
  },
  ping_pong: async (interop) => {
    const call = interop.duplex();
    const outcome = outcomeOf(call);
    for (const ping of PINGS) {
      const answer = once(call as never, 'data') as Promise<[Buffer]>;
      call.write(encode(ping));
      assert.equal(decode((await answer)[0]).size, ping.responseSizes[0]);
    }
    call.end();
    assert.equal((await outcome).code, OK);
  },
  empty_stream: async (interop) => {
    const call = interop.duplex();
    const outcome = outcomeOf(call);
    call.end();
    assert.deepEqual([(await outcome).code, (await outcome).messages], [OK, []]);
  },
  cancel_after_begin: async (interop) => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const call = interop.collect((error) => resolve(error?.code));
    call.cancel();
    assert.equal(await promise, CANCELLED);
  },
  cancel_after_first_response: async (interop) => {
    const call = interop.duplex();
    const outcome = outcomeOf(call);
    call.write(encode(PINGS[0]));
    await once(call as never, 'data');
    call.cancel();
    assert.equal((await outcome).code, CANCELLED);
  },
  timeout_on_sleeping_server: async (interop) => {
    const call = interop.duplex(new grpc.Metadata(), { deadline: Date.now() + 1 });
    const outcome = outcomeOf(call);
    call.write(encode({ size: 27_182 }));
    assert.equal((await outcome).code, DEADLINE_EXCEEDED);
  },
};

describe('gRPC interoperability', () => {
  const ends: (() => unknown)[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-interop-'));
  let fairlead: RunningFairlead;

  before(async () => {
    const server = await startServer();
    writeFileSync(join(folder, 'cert.pem'), ORIGIN_CERTIFICATE);
    writeFileSync(join(folder, 'key.pem'), ORIGIN_KEY, { mode: 0o600 });
    const certificate = `{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }`;
    const lifetime = { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext;
    fairlead = await startFairlead(
      lifetime,
      `listeners:
  - { name: plain, bind: 127.0.0.1:0, http2: true }
  - { name: secure, bind: 127.0.0.1:0, tls: { certificates: [${certificate}] } }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://127.0.0.1:${server.port}], protocol: http2, health: { heartbeat: false } } }
`,
    );
    ends.push(() => server.close());
  });

  after(async () => {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [at, transport] of ['cleartext', 'TLS'].entries()) {
    describe(transport, () => {
      let interop: Interop;
      before(() => void (interop = new Interop(fairlead.plane.bound[at]!.port, at === 1)));
      after(() => interop.close());
      for (const [name, play] of Object.entries({ ...UNARY_CASES, ...STREAM_CASES })) test(name, () => play(interop));
    });
  }
});
