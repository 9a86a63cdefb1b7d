// Client of the admin API of a running Fairlead: single requests and event streams. Thread: main.

import http from 'node:http';
import https from 'node:https';
import type { AdminTarget } from './admin-target.ts';

/** Timeout in ms. A reply takes milliseconds. */
const TIMEOUT_MS = 5_000;
/** Limit of a reply; more comes from some other server. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** No reply, or one that is not Fairlead's. The message names address, cause and remedy. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The API refused the request. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly answer: AdminAnswer;

  constructor(answer: AdminAnswer) {
    super(refusalWords(answer));
    this.answer = answer;
  }
}

export interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON; an object. */
  readonly body: object;
  /** For `ifMatch` of a change; null without a tag. */
  readonly tag: string | null;
}

/** A change. */
export interface AdminChange {
  /** POST if left out. */
  readonly method?: 'POST' | 'PATCH' | 'DELETE';
  /** None with DELETE. */
  readonly body?: object;
  /** Refuses the change with 412 if the resource has changed since this tag was issued. */
  readonly ifMatch?: string | null;
  /** Timeout in ms. */
  readonly timeoutMs?: number;
}

/** One event of a stream. */
export interface AdminEvent {
  /** '' without an id. */
  readonly id: string;
  readonly event: string;
  /** Parsed JSON. */
  readonly data: unknown;
}

/** GETs `path` from the admin API, or sends a change to it. @throws UnreachableError */
export async function callAdmin(target: AdminTarget, path: string, change?: AdminChange): Promise<AdminAnswer> {
  const signal = AbortSignal.timeout(change?.timeoutMs ?? TIMEOUT_MS);
  const response = await send(target, path, { change, signal });
  const text = await textOf(response).catch((error: unknown) => {
    throw unreachable(target, error);
  });
  const status = response.statusCode ?? 0;
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return { status, body, tag: response.headers.etag ?? null };
  } catch {
    // A reply that is not JSON is reported like JSON that is not an object.
  }
  throw new UnreachableError(
    `what answers at ${target.name} is not the admin API of Fairlead: it sent ${status} without JSON`,
  );
}

/**
 * Yields events until `signal` aborts or the API ends the stream.
 * @param path `/api/v1/events`, optionally with `?kind=`
 * @param lastEventId later events are sent first
 * @throws UnreachableError; RefusedError when the API refuses
 */
export async function* watchAdmin(
  target: AdminTarget,
  path: string,
  { signal, lastEventId }: { signal: AbortSignal; lastEventId?: string },
): AsyncGenerator<AdminEvent, void, undefined> {
  const last: Record<string, string> = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const response = await send(target, path, { signal, headers: { Accept: 'text/event-stream', ...last } });
  if (response.statusCode !== 200) {
    const body = JSON.parse(await textOf(response)) as object;
    throw new RefusedError({ status: response.statusCode ?? 0, body, tag: null });
  }
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const event = eventOf(block);
        if (event !== null) yield event;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw unreachable(target, error);
  }
}

/** Null for comments and retry times. */
function eventOf(block: string): AdminEvent | null {
  const fields = new Map(block.split('\n').map((line) => [line.split(':', 1)[0]!, line.replace(/^[^:]*: ?/, '')]));
  const data = fields.get('data');
  if (data === undefined) return null;
  return { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) };
}

/** The reason of a refusal as text, with a remedy. */
export function refusalWords({ status, body }: AdminAnswer): string {
  const { detail } = body as { detail?: string };
  const words = detail ?? `the admin API answered ${status}`;
  if (status === 401) return `${words} (--token, or better FAIRLEAD_ADMIN_TOKEN in the environment)`;
  return words;
}

interface Sent {
  readonly change?: AdminChange | undefined;
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

function send({ where, tls, token, name }: AdminTarget, path: string, sent: Sent): Promise<http.IncomingMessage> {
  const { change, signal } = sent;
  const to = where.kind === 'unix' ? { socketPath: where.path } : { host: where.host, port: where.port };
  const method = change === undefined ? 'GET' : (change.method ?? 'POST');
  const headers: Record<string, string> = { ...sent.headers };
  if (token !== null) headers['Authorization'] = `Bearer ${token}`;
  if (change?.body !== undefined) headers['Content-Type'] = 'application/json';
  if (change?.ifMatch) headers['If-Match'] = change.ifMatch;
  const options = { ...to, ...tls, method, headers, path, agent: false, signal } as const;
  return new Promise((resolve, reject) => {
    const request = (tls === null ? http : https).request(options, resolve);
    request.on('error', (error) => reject(unreachable({ name }, error)));
    request.end(change?.body === undefined ? undefined : JSON.stringify(change.body));
  });
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('its answer has no end');
  }
  return Buffer.concat(chunks).toString();
}

function unreachable({ name }: Pick<AdminTarget, 'name'>, error: unknown): UnreachableError {
  const advice = 'is Fairlead running, and does its configuration set `admin` to this address?';
  return new UnreachableError(`the admin API at ${name} can't be reached: ${wordsOf(error)}; ${advice}`);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'EPROTO') return 'it does not speak TLS as it should';
  if (code === 'ECONNRESET') return 'it hung up (does it speak TLS? then write https://)';
  return error.message === '' ? (code ?? error.name) : error.message;
}
