// A gRPC service with a method of each kind, and a client for it: @grpc/grpc-js on both ends. Thread: main.

import { freePort } from '../../scripts/peers/free-port.ts';
import {
  grpc,
  type GrpcCall,
  type GrpcCallback,
  type GrpcClient,
  type GrpcError,
  type GrpcServer,
  type Metadata,
} from './grpc-library.ts';

const same = (bytes: Buffer): Buffer => bytes;

/** Kinds of calls, and the paths of their methods. */
export const METHODS = {
  unary: '/test.Echo/Unary',
  fail: '/test.Echo/Fail',
  slow: '/test.Echo/Slow',
  client: '/test.Echo/Client',
  server: '/test.Echo/Server',
  bidi: '/test.Echo/Bidi',
} as const;
export type Method = keyof typeof METHODS;

function definitionOf(method: Method): object {
  return {
    path: METHODS[method],
    requestStream: method === 'client' || method === 'bidi',
    responseStream: method === 'server' || method === 'bidi',
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Serves at a port of loopback. `server` streams its request as many times as the request's length. */
export class GrpcEcho {
  readonly server: GrpcServer;
  readonly calls: Record<Method, number> = { unary: 0, fail: 0, slow: 0, client: 0, server: 0, bidi: 0 };
  /** Messages of `server` that were written. */
  sentMessages = 0;
  port = 0;

  private constructor() {
    this.server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
    const methods = Object.fromEntries((Object.keys(METHODS) as Method[]).map((name) => [name, definitionOf(name)]));
    this.server.addService(methods, {
      unary: (call: GrpcCall, done: GrpcCallback) => this.#unary(call, done),
      fail: (_call: GrpcCall, done: GrpcCallback) => {
        this.calls.fail += 1;
        done({ code: 14, details: 'not now' });
      },
      slow: () => {
        this.calls.slow += 1;
      },
      client: (call: GrpcCall, done: GrpcCallback) => void this.#client(call, done),
      server: (call: GrpcCall) => void this.#server(call),
      bidi: (call: GrpcCall) => this.#bidi(call),
    });
  }

  /** @param port the one of an echo that has ended, to take its place */
  static async listen(port?: number): Promise<GrpcEcho> {
    const own = port ?? (await freePort());
    const echo = new GrpcEcho();
    echo.port = await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      echo.server.bindAsync(`127.0.0.1:${own}`, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return echo;
  }

  close(): void {
    this.server.forceShutdown();
  }

  #unary(call: GrpcCall, done: GrpcCallback): void {
    this.calls.unary += 1;
    done(null, call.request);
  }

  async #client(call: GrpcCall, done: GrpcCallback): Promise<void> {
    this.calls.client += 1;
    const chunks: Buffer[] = [];
    call.on('error', () => undefined);
    try {
      for await (const chunk of call) chunks.push(chunk);
      done(null, Buffer.concat(chunks));
    } catch {
      // The client went away.
    }
  }

  /** Metadata `count` states another number of messages. */
  async #server(call: GrpcCall): Promise<void> {
    this.calls.server += 1;
    const [stated = call.request.length] = call.metadata.get('count');
    const state = { isCancelled: false };
    let proceed = (): void => undefined;
    call.on('drain', () => proceed());
    call.on('cancelled', () => {
      state.isCancelled = true;
      proceed();
    });
    for (let at = 0; at < Number(stated) && !state.isCancelled; at += 1) {
      const drained = new Promise<void>((resolve) => (proceed = resolve));
      this.sentMessages += 1;
      if (!call.write(call.request)) await drained;
    }
    call.end();
  }

  #bidi(call: GrpcCall): void {
    this.calls.bidi += 1;
    call.on('error', () => undefined);
    call.on('data', (message: Buffer) => void call.write(message));
    call.on('end', () => call.end());
  }
}

export interface GrpcOutcome {
  /** 0 is OK. */
  readonly code: number;
  readonly details: string;
  readonly messages: readonly Buffer[];
}

export interface GrpcCallSettings {
  readonly messages?: readonly Buffer[];
  /** 0 for none. */
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A client over one connection. */
export class EchoClient {
  readonly #client: GrpcClient;

  /** @param root certificate of the server; null connects without TLS */
  constructor(port: number, root: string | null) {
    const { credentials, Client } = grpc;
    const made = root === null ? credentials.createInsecure() : credentials.createSsl(Buffer.from(root));
    this.#client = new Client(`127.0.0.1:${port}`, made, {
      'grpc.ssl_target_name_override': 'origin.test',
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Reads `count` messages of `server`, each once the one before is done. @throws the call's error */
  async read(message: Buffer, count: number, onMessage: (message: Buffer) => void | Promise<void>): Promise<void> {
    const metadata = new grpc.Metadata();
    metadata.set('count', String(count));
    const call = this.#start('server', [message], metadata, {}, () => undefined);
    for await (const one of call) await onMessage(one);
  }

  call(
    method: Method,
    { messages = [Buffer.from('hello')], deadlineMs = 20_000, metadata = {} }: GrpcCallSettings = {},
  ): Promise<GrpcOutcome> {
    const given = new grpc.Metadata();
    for (const [key, value] of Object.entries(metadata)) given.set(key, value);
    const options = deadlineMs === 0 ? {} : { deadline: Date.now() + deadlineMs };
    const received: Buffer[] = [];
    return new Promise((resolve) => {
      const end = ({ code, details }: Partial<GrpcError>): void =>
        resolve({ code: code ?? 0, details: details ?? '', messages: received });
      const done: GrpcCallback = (error, response) => {
        if (response !== undefined) received.push(response);
        end(error ?? {});
      };
      const call = this.#start(method, messages, given, options, done);
      if (method === 'server' || method === 'bidi') {
        call.on('data', (message: Buffer) => void received.push(message));
        call.on('error', () => undefined);
        call.on('status', (status: GrpcError) => end(status));
      }
      if (method === 'client' || method === 'bidi') {
        for (const message of messages) call.write(message);
        call.end();
      }
    });
  }

  #start(
    method: Method,
    [first]: readonly Buffer[],
    metadata: Metadata,
    options: object,
    done: GrpcCallback,
  ): GrpcCall {
    const client = this.#client;
    const path = METHODS[method];
    if (method === 'client') return client.makeClientStreamRequest(path, same, same, metadata, options, done);
    if (method === 'bidi') return client.makeBidiStreamRequest(path, same, same, metadata, options);
    if (method === 'server') return client.makeServerStreamRequest(path, same, same, first!, metadata, options);
    return client.makeUnaryRequest(path, same, same, first!, metadata, options, done);
  }
}
