// The parts of @grpc/grpc-js that tests use, typed here: calls of bytes without a schema. Thread: main.

import { createRequire } from 'node:module';

export interface GrpcStatusObject {
  readonly code: number;
  readonly details: string;
}

export interface Metadata {
  set(key: string, value: string): void;
  get(key: string): readonly unknown[];
}

export type GrpcError = Error & GrpcStatusObject;

/** A call of either side, of any kind. */
export interface GrpcCall extends AsyncIterable<Buffer> {
  readonly request: Buffer;
  readonly metadata: Metadata;
  write(message: Buffer): boolean;
  end(): void;
  cancel(): void;
  sendMetadata(metadata: Metadata): void;
  emit(event: 'error', error: { readonly code: number; readonly details: string }): boolean;
  on(event: string, listener: (...given: never[]) => void): this;
  once(event: string, listener: (...given: never[]) => void): this;
  pause(): void;
  resume(): void;
}

export type GrpcCallback = (error: Partial<GrpcError> | null, response?: Buffer) => void;

interface CallOptions {
  readonly deadline?: number;
}

type Codec = (bytes: Buffer) => Buffer;

export interface GrpcClient {
  makeUnaryRequest(path: string, ...rest: [Codec, Codec, Buffer, Metadata, CallOptions, GrpcCallback]): GrpcCall;
  makeClientStreamRequest(path: string, ...rest: [Codec, Codec, Metadata, CallOptions, GrpcCallback]): GrpcCall;
  makeServerStreamRequest(path: string, ...rest: [Codec, Codec, Buffer, Metadata, CallOptions]): GrpcCall;
  makeBidiStreamRequest(path: string, ...rest: [Codec, Codec, Metadata, CallOptions]): GrpcCall;
  close(): void;
}

export interface GrpcServer {
  addService(definition: object, handlers: object): void;
  bindAsync(address: string, credentials: object, done: (error: Error | null, port: number) => void): void;
  forceShutdown(): void;
}

interface GrpcLibrary {
  readonly Server: new (options?: object) => GrpcServer;
  readonly Client: new (address: string, credentials: object, options?: object) => GrpcClient;
  readonly Metadata: new () => Metadata;
  readonly ServerCredentials: { createInsecure(): object };
  readonly credentials: { createInsecure(): object; createSsl(root: Buffer): object };
}

export const grpc = createRequire(import.meta.url)('@grpc/grpc-js') as GrpcLibrary;
