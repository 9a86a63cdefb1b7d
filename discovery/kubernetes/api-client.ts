// A client of a Kubernetes API server: bounded reads, streams of events, and writes. Thread: main.

import { Agent, type Dispatcher, request } from 'undici';
import { parseJson, readText } from '../http/http-client.ts';
import type { SourceFiles } from '../source.ts';
import type { AccessSettings, ApiAccess } from './access-settings.ts';
import { loadAccess } from './api-access.ts';
import { type ApiObject, isObject, numberAt, textAt } from './api-object.ts';

const TIMEOUT_MS = 30_000;
/** A page of 500 objects; each has at most 1.5 MiB, and a few kilobytes as a rule. */
const LARGEST_BYTES = 64 * 1024 * 1024;
/** Servers send a bookmark about once a minute: a stream that is silent for longer is dead. */
const SILENCE_MS = 150_000;
/** Characters of a message of the server that operators see. */
const SHOWN_CHARACTERS = 200;

/** The API server refuses a request. */
export class ApiError extends Error {
  /** HTTP status, or that of an event. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }

  /** The resource version is too old: everything must be listed again. */
  get isExpired(): boolean {
    return this.status === 410;
  }

  static ofStatus(status: number, body: unknown): ApiError {
    const text = textAt(body, 'message').slice(0, SHOWN_CHARACTERS);
    const code = numberAt(body, 'code') ?? status;
    return new ApiError(code, `the API server answers ${code}${text === '' ? '' : `: ${text}`}${adviceFor(code)}`);
  }
}

function adviceFor(status: number): string {
  if (status === 401) return '; the token or client certificate is not accepted';
  return status === 403 ? '; the RBAC role lacks this permission (deploy/kubernetes)' : '';
}

interface SendOptions {
  readonly signal: AbortSignal;
  readonly bodyTimeout?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Media type of a JSON merge patch (RFC 7396). */
const MERGE_PATCH = 'application/merge-patch+json';

export class ApiClient {
  readonly #settings: AccessSettings;
  readonly #files: Pick<SourceFiles, 'readText'>;
  #agent: { readonly identity: string; readonly agent: Agent } | null = null;

  constructor(settings: AccessSettings, files: Pick<SourceFiles, 'readText'>) {
    this.#settings = settings;
    this.#files = files;
  }

  /** @throws Error: what `loadAccess` says */
  namespace(): string {
    return loadAccess(this.#settings, this.#files).namespace;
  }

  /** Reads an object or a page of a list. @throws ApiError, and Error where there is no answer */
  async read(target: string, signal: AbortSignal): Promise<ApiObject> {
    const reply = await this.#send('GET', target, { signal });
    return objectOf(reply.statusCode, await textOf(reply));
  }

  /** Changes the fields of an object, or of its status, by a merge patch. @throws as `read` */
  async patch(target: string, change: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    const body = JSON.stringify(change);
    const reply = await this.#send('PATCH', target, { signal, body, headers: { 'content-type': MERGE_PATCH } });
    return objectOf(reply.statusCode, await textOf(reply));
  }

  /** Opens a stream of events. @throws as `read` */
  async stream(target: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const reply = await this.#send('GET', target, { signal, bodyTimeout: SILENCE_MS });
    if (reply.statusCode === 200) return reply.body as AsyncIterable<Buffer>;
    objectOf(reply.statusCode, await textOf(reply));
    throw new ApiError(reply.statusCode, `the API server answers ${reply.statusCode} to a watch`);
  }

  close(): void {
    void this.#agent?.agent.destroy();
    this.#agent = null;
  }

  async #send(method: 'GET' | 'PATCH', target: string, options: SendOptions): Promise<Dispatcher.ResponseData> {
    const access = loadAccess(this.#settings, this.#files);
    const authorization = access.token === '' ? {} : { authorization: `Bearer ${access.token}` };
    try {
      return await request(`${access.server}${target}`, {
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        ...options,
        method,
        dispatcher: this.#agentFor(access),
        headers: { accept: 'application/json', 'user-agent': 'fairlead', ...authorization, ...options.headers },
      });
    } catch (error) {
      throw new Error(`the API server ${hostOf(access.server)} is unreachable: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** New connections use a certificate or CA that has changed; open streams go on. */
  #agentFor({ ca, cert, key, serverName, verify }: ApiAccess): Agent {
    const identity = JSON.stringify([ca, cert, key, serverName, verify]);
    if (this.#agent?.identity === identity) return this.#agent.agent;
    void this.#agent?.agent.close();
    const agent = new Agent({
      allowH2: false,
      keepAliveTimeout: 10_000,
      connect: {
        timeout: TIMEOUT_MS,
        rejectUnauthorized: verify,
        ...(ca !== '' && { ca }),
        ...(cert !== '' && { cert, key }),
        ...(serverName !== '' && { servername: serverName }),
      },
    });
    this.#agent = { identity, agent };
    return agent;
  }
}

async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  const text = await readText(body, LARGEST_BYTES);
  if (text === null) throw new Error('the API server sends an answer of more than 64 MiB');
  return text;
}

function objectOf(status: number, text: string): ApiObject {
  const body = parseJson(text);
  if (status >= 400) throw ApiError.ofStatus(status, body);
  if (!isObject(body)) throw new Error(`the API server answers ${status} with something that is not a JSON object`);
  return body;
}

function hostOf(server: string): string {
  return URL.parse(server)?.host ?? server;
}

function reasonOf(error: unknown): string {
  const { message, code = '', name } = error as Error & { readonly code?: string };
  return message === '' ? code || name : message;
}
