// A site in two forms: the configuration of nginx or HAProxy, and that of Fairlead. Plays a request through both and compares
// what the client and the app servers get. Thread: main.

import { request } from 'node:http';
import zlib from 'node:zlib';

/** Ports and folders that configurations name as ${NAME}. */
export type Places = Readonly<Record<string, string>>;

export interface PlayedRequest {
  readonly method?: string;
  readonly target: string;
  readonly host?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Number of times that it is sent; what the app servers get is compared as a whole. */
  readonly times?: number;
  /** Whether each request after the first has the cookie of its response: all must reach one app server. */
  readonly keepsCookie?: boolean;
  /** Whether the page of an error is compared. */
  readonly comparesPage?: boolean;
  /** Known differences: what the peer has, and what Fairlead has. Any other fails, and so does one that no longer exists. */
  readonly differs?: Readonly<Record<string, readonly [peer: string, fairlead: string]>>;
}

/** One site, named as its files in `sites/`. */
export interface MigratedSite {
  readonly name: string;
  readonly peer: 'nginx' | 'haproxy';
  readonly requests: readonly PlayedRequest[];
}

/** Fields of one connection, of framing, or of the program that answers. */
const RESPONSE_IGNORED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'x-request-id',
]);

/** Fields that Fairlead always sends to app servers, and those of the connection. */
const REQUEST_IGNORED = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

/** Outcome of a request, as comparable texts by name. */
export type Outcome = Readonly<Record<string, string>>;

/** Sends the request, and flattens the response and what the app server saw. @param sees request fields to compare anyway */
export async function outcomeOf(port: number, played: PlayedRequest, sees: ReadonlySet<string>): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  let cookie = '';
  for (let at = 0; at < (played.times ?? 1); at++) {
    const fields = cookie === '' ? played.fields : { ...played.fields, cookie };
    const { outcome, setCookie } = await sendOnce(port, { ...played, ...(fields && { fields }) }, sees);
    outcomes.push(outcome);
    if (played.keepsCookie === true && setCookie !== undefined) cookie = setCookie.split(';', 1)[0]!;
  }
  const [first] = outcomes;
  if (outcomes.length === 1) return first!;
  const apps = outcomes.map((one) => `${one['status']} ${one['app'] ?? '-'}`).toSorted();
  return { ...first, status: '', app: played.keepsCookie === true ? `${new Set(apps).size} app` : apps.join() };
}

/** Outcome of one request, and the cookie that it set. */
interface Sent {
  readonly outcome: Outcome;
  readonly setCookie: string | undefined;
}

function sendOnce(port: number, played: PlayedRequest, sees: ReadonlySet<string>): Promise<Sent> {
  const { method = 'GET', target, host = 'site.test', fields = {}, body } = played;
  return new Promise((resolve, reject) => {
    const headers = { host, ...fields };
    const sent = request({ port, host: '127.0.0.1', method, path: target, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const isPage = response.statusCode! >= 300 && played.comparesPage !== true;
        const outcome = flattened(response.statusCode!, response.headers, Buffer.concat(chunks), { sees, isPage });
        resolve({ outcome, setCookie: response.headers['set-cookie']?.[0] });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function flattened(
  status: number,
  headers: NodeJS.Dict<string | string[]>,
  bytes: Buffer,
  { sees, isPage }: { readonly sees: ReadonlySet<string>; readonly isPage: boolean },
): Outcome {
  const outcome: Record<string, string> = { status: String(status) };
  for (const [name, value] of Object.entries(headers)) {
    if (!RESPONSE_IGNORED.has(name)) outcome[name] = valueOf(name, value);
  }
  const body =
    headers['content-encoding'] === 'gzip' && bytes.length > 0 ? zlib.gunzipSync(bytes).toString() : bytes.toString();
  if (headers['x-app'] !== undefined) {
    delete outcome['x-app'];
    return { ...outcome, ...seenByApp(String(headers['x-app']), body, sees) };
  }
  // Pages of errors and redirects have each program's own text.
  if (isPage) for (const name of ['content-type', 'cache-control', 'retry-after']) delete outcome[name];
  else outcome['body'] = body;
  return outcome;
}

/** Values that two programs can't have in common are reduced to whether they are there. */
function valueOf(name: string, value: string | string[] | undefined): string {
  const text = [value].flat().join(', ');
  if (name === 'etag') return text.startsWith('W/') ? 'weak' : 'strong';
  if (name === 'location') return text.replace(/^(https?:\/\/[^/:]+):\d+\//, '$1:PORT/');
  return name === 'set-cookie' ? text.replace(/=[^;]*/, '=VALUE') : text.replaceAll(', ', ',');
}

/** The request as the app server got it: it answers with its description. */
function seenByApp(app: string, body: string, sees: ReadonlySet<string>): Outcome {
  if (!body.startsWith('{"seen":')) return { app, body };
  const { seen } = JSON.parse(body) as { seen: { line: string; headers: Record<string, string>; bytes: number } };
  const outcome: Record<string, string> = { app, line: seen.line, bytes: String(seen.bytes) };
  for (const [name, value] of Object.entries(seen.headers)) {
    if (sees.has(name) || !REQUEST_IGNORED.has(name)) outcome[`> ${name}`] = value;
  }
  return outcome;
}

/** Values that differ, by name: of the peer, and of Fairlead. '' stands for a value that is not there. */
export function differencesOf(peer: Outcome, fairlead: Outcome): Record<string, [string, string]> {
  const differences: Record<string, [string, string]> = {};
  for (const name of new Set([...Object.keys(peer), ...Object.keys(fairlead)])) {
    const [ours, theirs] = [fairlead[name] ?? '', peer[name] ?? ''];
    if (ours !== theirs) differences[name] = [theirs, ours];
  }
  return differences;
}

/** Fills in ${NAME}. Other uses of $ belong to the configuration. */
export function filledIn(text: string, places: Places): string {
  return text.replaceAll(/\$\{([A-Z_]+)\}/g, (_, name: string) => places[name] ?? `\${${name}}`);
}
