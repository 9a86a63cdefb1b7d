// A hypothetical request: its head, the connection over which it would arrive, and the file that would answer it. Thread: main.

import { statSync } from 'node:fs';
import path from 'node:path';
import type { FilesSnapshot } from '../../core/snapshot/route.ts';
import { filePathOf } from '../../proxy/files/file-path.ts';
import { isIP } from 'node:net';
import { ExplainError, type ExplainQuery } from '../../admin/api/explain-schemas.ts';
import { canonicalAddress } from '../../core/address.ts';
import { compileCidrs } from '../../core/cidr.ts';
import type { ClientConnection } from '../../core/exchange-contract.ts';
import { type RequestHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { isFieldName, isFieldValue, isTarget } from '../../proxy/http1/field-line.ts';
import { scanHostValue } from '../../proxy/http1/host-value.ts';
import { isGrpc } from '../../core/grpc-status.ts';
import { speaksHttp2 } from './explained-protocols.ts';

/** Ports of the listeners by name: bound ones, or those of a file. */
export type BoundPorts = ReadonlyMap<string, number>;

export interface ExplainedRequest {
  readonly head: RequestHead;
  readonly connection: ClientConnection;
  readonly listener: ListenerSnapshot;
  /** Reason for this listener. */
  readonly because: string;
  readonly isTrusted: (address: string) => boolean;
}

interface Url {
  readonly isTls: boolean;
  readonly authority: string;
  readonly port: number;
  readonly target: string;
}

/** @throws ExplainError for what no client could send */
export function requestOf(query: ExplainQuery, { listeners }: Snapshot, ports: BoundPorts): ExplainedRequest {
  const url = urlOf(query.url, query.method);
  const { listener, because } = listenerFor(url, query.listener, listeners, ports);
  if (listener.mode === 'tcp') {
    const forms = 'write tcp://host:port, or tls://name:port for a server name';
    throw new ExplainError(`listener ${listener.name} has mode: tcp, and serves no requests: ${forms}`);
  }
  if (isIP(query.client) === 0 && query.client !== '') throw new ExplainError(`"${query.client}" is not an IP address`);
  const client = canonicalAddress(query.client);
  const isTrusted = compileCidrs(listener.trustedProxies);
  const connection = {
    listenerIndex: listener.index,
    listenerName: listener.name,
    peerAddress: client,
    peerPort: 0,
    localPort: ports.get(listener.name) ?? url.port,
    isTls: listener.tls !== null,
    tlsVersion: listener.tls === null ? '' : 'TLSv1.3',
    isTrusted: client !== '' && isTrusted(client),
    localAddress: '',
    serverName: '',
    onceClosed: () => undefined,
  };
  const head = headOf(query, url);
  // A gRPC client uses HTTP/2 wherever the listener does.
  const isHttp2 = isGrpc(head) && speaksHttp2(listener);
  return { head: isHttp2 ? { ...head, version: '2.0' } : head, connection, listener, because, isTrusted };
}

/** Splits a URL without a URL parser, which would normalise the path; hostile clients don't. */
function urlOf(text: string, method: string): Url {
  const parts = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(text);
  if (parts === null)
    throw new ExplainError(`"${text}" is not a URL: write http://host/path or https://host:port/path`);
  const [, scheme = '', authority = '', rest = ''] = parts;
  const bytes = Buffer.from(authority, 'latin1');
  if (authority === '' || scanHostValue(bytes, 0, bytes.length) < 0) {
    throw new ExplainError(`"${authority}" is not a host with or without a port`);
  }
  const target = rest === '' && method === 'OPTIONS' ? '*' : rest.startsWith('/') ? rest : `/${rest}`;
  if (!isTarget(target)) throw new ExplainError('the path has bytes that must be percent-encoded');
  const isTls = scheme.toLowerCase() === 'https';
  const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? (isTls ? 443 : 80));
  return { isTls, authority, port, target };
}

interface ChosenListener {
  readonly listener: ListenerSnapshot;
  readonly because: string;
}

function listenerFor(
  url: Url,
  name: string | null,
  listeners: readonly ListenerSnapshot[],
  ports: BoundPorts,
): ChosenListener {
  if (name !== null) {
    const named = listeners.find((one) => one.name === name);
    const names = listeners.map((one) => one.name).join(', ');
    if (named === undefined) throw new ExplainError(`there is no listener ${name}; there are: ${names}`);
    return { listener: named, because: 'the query names it' };
  }
  const sameKind = listeners.filter(({ tls }) => (tls !== null) === url.isTls);
  const samePort = sameKind.find((one) => ports.get(one.name) === url.port);
  if (samePort !== undefined) return { listener: samePort, because: `it listens on port ${url.port}` };
  const first = sameKind[0] ?? listeners[0]!;
  const kind = url.isTls ? 'with TLS' : 'without TLS';
  const what = sameKind.length === 0 ? 'the first listener is assumed' : `this is the first one ${kind}`;
  return { listener: first, because: `no listener ${kind} has port ${url.port}: ${what}` };
}

function headOf({ method, headers }: ExplainQuery, { target, authority }: Url): RequestHead {
  if (!isFieldName(method)) throw new ExplainError(`"${method}" is not a method`);
  const fields = headers.flatMap(fieldOf);
  const valuesOf = (name: string): string[] =>
    fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
  const field = (name: string): string | undefined => {
    const values = valuesOf(name);
    return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
  };
  const isChunked = field('transfer-encoding') !== undefined;
  return {
    method,
    target,
    authority: valuesOf('host')[0] ?? authority,
    version: '1.1',
    bodyLength: isChunked ? UNKNOWN_LENGTH : Number(field('content-length') ?? 0) || 0,
    field,
    endToEndFields: () => fields.filter((_, at) => fields[at - (at % 2)]!.toLowerCase() !== 'host'),
  };
}

/** [name, value] of a line. */
function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
  if (colon < 1 || !isFieldName(name) || !isFieldValue(value)) {
    throw new ExplainError(`"${line}" is not a header: write 'Name: value'`);
  }
  return [name, value];
}

/** The file that a route with `files` would send: its path below the root, with a slash at the end for a directory that is redirected to; null where it is 404. */
export function explainedFile(target: string, { root, index, spaFallback, dotFiles }: FilesSnapshot): string | null {
  const found = filePathOf(target, dotFiles);
  if (found === null) return null;
  const { segments, isDirectory } = found;
  const names = isDirectory ? index.map((name) => [...segments, name].join('/')) : [segments.join('/')];
  for (const name of names) {
    const kind = kindOf(path.join(root, name));
    if (kind === 'file') return name;
    if (kind === 'directory' && !isDirectory) return `${name}/`;
  }
  const isView = isDirectory || segments.at(-1)?.includes('.') !== true;
  return spaFallback !== '' && isView ? spaFallback : null;
}

function kindOf(name: string): 'file' | 'directory' | null {
  try {
    const stats = statSync(name);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : null;
  } catch {
    return null;
  }
}
