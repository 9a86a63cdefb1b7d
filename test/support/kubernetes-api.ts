// A Kubernetes API server for tests, in the test's process: lists with pages, watches with bookmarks, 410 Gone, bearer
// tokens and client certificates, discovery documents for kubectl. Thread: main.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import {
  type KubernetesObject,
  KubernetesStore,
  type Resource,
  RESOURCES,
  StatusError,
  type WatchEvent,
} from './kubernetes-store.ts';

export interface KubernetesOptions {
  /** Tokens that are accepted; absent: no authentication. */
  readonly tokens?: Set<string>;
  /** Serves TLS; with `ca` clients may present a certificate in place of a token. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

interface Watch {
  readonly send: (type: string, object: object) => void;
  readonly end: () => void;
}

/** The resource, and maybe the object, of a path. */
interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly isStatus: boolean;
}

export class KubernetesApi {
  readonly store = new KubernetesStore();
  /** Method and target of each request. */
  readonly requests: string[] = [];
  /** Answers every request with this status while it is set. */
  failWith = 0;
  readonly #options: KubernetesOptions;
  readonly #watches = new Set<Watch>();
  #server: Server | null = null;
  #port = 0;

  constructor(options: KubernetesOptions) {
    this.#options = options;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get watches(): number {
    return this.#watches.size;
  }

  async start(): Promise<void> {
    const { tls } = this.#options;
    const answer: RequestListener = (request, response) => void this.#answer(request, response);
    const client = { requestCert: tls?.ca !== undefined, rejectUnauthorized: false };
    const server = tls === undefined ? createServer(answer) : createTlsServer({ ...tls, ...client }, answer);
    if (this.#port === 0) this.#port = await freePort();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  /** Ends like a crash; `start` begins on the same port, with the same objects. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Creates or replaces an object. */
  apply(plural: string, object: KubernetesObject): KubernetesObject {
    const resource = RESOURCES.find((one) => one.plural === plural)!;
    const { namespace = '', name } = object.metadata;
    const isKnown = this.store.list(resource, namespace).some(({ metadata }) => metadata.name === name);
    return isKnown ? this.store.replace(resource, object) : this.store.create(resource, object);
  }

  remove(plural: string, namespace: string, name: string): void {
    this.store.remove(RESOURCES.find((one) => one.plural === plural)!, namespace, name);
  }

  /** An object as it is stored now. */
  read(plural: string, namespace: string, name: string): KubernetesObject {
    return this.store.get(RESOURCES.find((one) => one.plural === plural)!, namespace, name);
  }

  /** Sends every watch a bookmark. */
  bookmark(): void {
    for (const watch of this.#watches)
      watch.send('BOOKMARK', { metadata: { resourceVersion: `${this.store.version}` } });
  }

  /** Ends every watch; with an error, each is sent it before. */
  endWatches(error?: StatusError): void {
    for (const watch of this.#watches) {
      if (error !== undefined) watch.send('ERROR', error.status);
      watch.end();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    this.requests.push(`${method} ${url}`);
    try {
      this.#authenticate(request);
      if (this.failWith !== 0) throw new StatusError(this.failWith, 'InternalError', 'the server is failing');
      const { pathname, searchParams } = new URL(url, 'http://server');
      const document = discoveryDocument(pathname);
      if (document !== null) return reply(response, 200, document);
      const target = targetOf(pathname);
      if (target === null) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
      if (method === 'GET' && target.name === '') return this.#list(target, searchParams, response);
      if (method === 'GET') return reply(response, 200, this.store.get(target.resource, target.namespace, target.name));
      const [status, object] = this.#write(method, target, await bodyOf(request), request);
      reply(response, status, object);
    } catch (error) {
      const known = error instanceof StatusError ? error : new StatusError(500, 'InternalError', String(error));
      reply(response, known.code, known.status);
    }
  }

  #authenticate({ headers, socket }: IncomingMessage): void {
    const { tokens } = this.#options;
    if (tokens === undefined) return;
    if ('authorized' in socket && socket.authorized === true) return;
    if (tokens.has((headers.authorization ?? '').replace(/^Bearer /, ''))) return;
    throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  }

  #list({ resource, namespace }: Target, query: URLSearchParams, response: ServerResponse): void {
    const matches = selectorOf(query);
    if (['1', 'true'].includes(query.get('watch') ?? '')) {
      return this.#watch(resource, namespace, query, response);
    }
    const all = this.store.list(resource, namespace).filter(matches);
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const [version = String(this.store.version), from = '0'] = (query.get('continue') || undefined)?.split(':') ?? [];
    if (query.get('continue')) this.store.since(Number(version));
    const end = Number(from) + limit;
    const more = end < all.length ? { continue: `${version}:${end}`, remainingItemCount: all.length - end } : {};
    const metadata = { resourceVersion: version, ...more };
    const { kind } = resource;
    reply(response, 200, {
      ...versionOf(resource),
      kind: `${kind}List`,
      metadata,
      items: all.slice(Number(from), end),
    });
  }

  #watch(resource: Resource, namespace: string, query: URLSearchParams, response: ServerResponse): void {
    const matches = selectorOf(query);
    const past = this.store.since(Number(query.get('resourceVersion') || this.store.version));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const send = (type: string, object: object): void => {
      const kind = type === 'BOOKMARK' ? { kind: resource.kind, ...versionOf(resource) } : {};
      const text = `${JSON.stringify({ type, object: { ...kind, ...object } })}\n`;
      // Chunks end anywhere.
      const at = Math.floor(text.length / 3);
      response.write(text.slice(0, at));
      response.write(text.slice(at));
    };
    const take = (event: WatchEvent): void => {
      const { metadata } = event.object;
      const isInside = event.resource === resource && (namespace === '' || metadata.namespace === namespace);
      if (isInside && matches(event.object)) send(event.type, event.object);
    };
    for (const event of past) take(event);
    const forget = (): void => {
      clearTimeout(timer);
      this.#watches.delete(watch);
      this.store.onEvent.delete(take);
    };
    const end = (): void => {
      forget();
      response.end();
    };
    const watch = { send, end };
    const timer = setTimeout(end, Number(query.get('timeoutSeconds') ?? 3_600) * 1_000);
    timer.unref();
    this.#watches.add(watch);
    this.store.onEvent.add(take);
    response.on('close', forget);
  }

  #write(method: string, target: Target, body: unknown, { headers }: IncomingMessage): [number, object] {
    const { resource, namespace, name, isStatus } = target;
    const given = body as KubernetesObject;
    if (method === 'DELETE') return [200, this.store.remove(resource, namespace, name)];
    const metadata = { ...given.metadata, ...(resource.isNamespaced && { namespace }) };
    if (method === 'POST') return [201, this.store.create(resource, { ...given, metadata })];
    const before = this.store.get(resource, namespace, name);
    if (method === 'PATCH') {
      const type = headers['content-type'] ?? '';
      if (!/merge-patch/.test(type)) throw new StatusError(415, 'UnsupportedMediaType', `${type} is not supported`);
      const patched = merged(before, given) as KubernetesObject;
      return [200, this.store.replace(resource, isStatus ? { ...before, status: patched['status'] } : patched)];
    }
    if (method !== 'PUT') throw new StatusError(405, 'MethodNotAllowed', method);
    const next = isStatus ? { ...before, status: given['status'] } : { ...given, metadata, status: before['status'] };
    return [200, this.store.replace(resource, next)];
  }
}

/** Starts an API server, and stops it after the test. */
export async function startKubernetes(t: TestContext, options: KubernetesOptions = {}): Promise<KubernetesApi> {
  const api = new KubernetesApi(options);
  await api.start();
  t.after(() => api.stop());
  return api;
}

/** A kubeconfig for a server, in JSON, which is YAML. */
export function kubeconfigFor(url: string, user: object = {}, cluster: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster: { server: url, ...cluster } }],
    users: [{ name: 'test', user }],
  });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

function versionOf({ group, version }: Resource): { readonly apiVersion: string } {
  return { apiVersion: group === '' ? version : `${group}/${version}` };
}

function targetOf(pathname: string): Target | null {
  const form = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(\/status)?$/;
  const match = form.exec(pathname);
  const [, group = '', version, namespace = '', plural, name = '', status] = match ?? [];
  const resource = RESOURCES.find((one) => one.group === group && one.version === version && one.plural === plural);
  return resource === undefined ? null : { resource, namespace, name, isStatus: status !== undefined };
}

function selectorOf(query: URLSearchParams): (object: KubernetesObject) => boolean {
  const conditions = ['labelSelector', 'fieldSelector'].flatMap((kind) => {
    const parts = (query.get(kind) ?? '').split(',').filter((part) => part !== '');
    return parts.map((part) => [kind, ...part.split(/==?/)] as [string, string, string]);
  });
  return (object) =>
    conditions.every(([kind, key, value]) => {
      if (kind === 'labelSelector') return object.metadata.labels?.[key] === value;
      return (
        key.split('.').reduce<unknown>((found, part) => (found as Record<string, unknown>)?.[part], object) === value
      );
    });
}

/** JSON merge patch (RFC 7396). */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function discoveryDocument(pathname: string): object | null {
  const groups = [...new Set(RESOURCES.filter(({ group }) => group !== '').map(({ group }) => group))];
  if (pathname === '/version') return { major: '1', minor: '34', gitVersion: 'v1.34.0' };
  if (pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  const [, group = '', version] = /^\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(pathname) ?? [];
  const inside = RESOURCES.filter((one) => one.group === group && one.version === version);
  if (inside.length === 0) return null;
  const resources = inside.map(({ plural, kind, isNamespaced, shortNames = [] }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced: isNamespaced,
    kind,
    shortNames,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  }));
  return { kind: 'APIResourceList', groupVersion: versionOf(inside[0]!).apiVersion, resources };
}

function groupOf(name: string): object {
  const versions = [...new Set(RESOURCES.filter(({ group }) => group === name).map(({ version }) => version))];
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
}
