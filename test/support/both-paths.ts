// Two Fairlead processes that differ only in their path, each with its own endpoint. Plays the same client's bytes to both
// and returns comparable results. Thread: main.

import type { TestContext } from 'node:test';
import type { ReceivedRequest } from './request-reader.ts';
import { ScriptedOrigin, type Step } from './scripted-origin.ts';
import { shareFairlead } from './shared-fairlead.ts';
import { talk } from './wire.ts';

/** A response as a client receives it. */
export interface SeenResponse {
  readonly status: number;
  /** Lines in order, names in lower case, without values that differ between requests. */
  readonly fields: readonly string[];
  /** Payload without chunked coding. */
  readonly body: string;
  readonly trailers: readonly string[];
}

/** A complete request as the endpoint received it. */
export interface SeenRequest {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** Results of a connection's bytes. */
export interface Seen {
  readonly responses: readonly SeenResponse[];
  readonly end: 'fin' | 'reset';
  readonly requests: readonly SeenRequest[];
}

export class OnePath {
  readonly origin: ScriptedOrigin;
  readonly port: number;
  #taken = 0;

  private constructor(origin: ScriptedOrigin, port: number) {
    this.origin = origin;
    this.port = port;
  }

  /**
   * A new origin behind the Fairlead of this path, which the tests of a process share.
   * @param more YAML lines at the top level
   */
  static async start(t: TestContext, fastPath: boolean, more = ''): Promise<OnePath> {
    const origin = await ScriptedOrigin.listen();
    t.after(() => origin.close());
    const fairlead = await shareFairlead(
      `both paths, fastPath: ${fastPath}`,
      `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0", underscoreFields: pass }]
routes: [{ upstream: app }]
timeouts: { head: 10s, bodyIdle: 10s }
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${origin.port}"]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
    retry: { attempts: 0 }
    timeouts: { response: 10s, idle: 10s }
${more}
`,
    );
    return new OnePath(origin, fairlead.port);
  }

  /** Sends bytes on a new connection and reads until it ends. @param method of the requests: HEAD has no body */
  async play(bytes: string, method: 'GET' | 'HEAD' = 'GET'): Promise<Seen> {
    const { text, end } = await talk(this.port, bytes);
    const received = this.origin.requests.slice(this.#taken);
    this.#taken = this.origin.requests.length;
    const requests = received
      .filter(({ isComplete }) => isComplete)
      .map((request) => ({
        line: request.requestLine,
        fields: request.lines.map(plainLine).filter((line) => line !== ''),
        body: request.body.toString('latin1'),
        trailers: trailersOf(request),
      }));
    return { responses: readResponses(text, method), end, requests };
  }

  /** Sets the endpoint's script for all following requests. */
  answerWith(...steps: readonly Step[]): void {
    this.origin.otherwise = steps;
  }
}

/** Lines after the last chunk. */
function trailersOf(request: ReceivedRequest): string[] {
  if (request.values('transfer-encoding').length === 0) return [];
  const section = /\r\n0\r\n((?:[^\r\n]+\r\n)*)\r\n$/.exec(
    `\r\n${request.raw.toString('latin1', request.head.length)}`,
  );
  return section![1]!.split('\r\n').slice(0, -1).map(plainLine);
}

/** The line with its name in lower case; '' for values that always differ: time, identifiers, ports. */
function plainLine(line: string): string {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (name === 'date' || name === 'x-request-id' || name === 'x-forwarded-port') return '';
  return `${name}: ${value}`;
}

/** Final and interim responses in a client's bytes. An unreadable one has status 0. */
function readResponses(text: string, method: string): SeenResponse[] {
  const responses: SeenResponse[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1] ?? 0);
    if (end < 0 || status === 0) return [...responses, { status: 0, fields: [rest], body: '', trailers: [] }];
    const [, ...lines] = rest.slice(0, end).split('\r\n');
    const fields = lines.map(plainLine).filter((line) => line !== '');
    const isBodyless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const behind = rest.slice(end + 4);
    const read = isBodyless ? { body: '', trailers: [], rest: behind } : readBody(fields, behind);
    responses.push({ status, fields, body: read.body, trailers: read.trailers });
    rest = read.rest;
  }
  return responses;
}

interface ReadBody {
  readonly body: string;
  readonly trailers: readonly string[];
  readonly rest: string;
}

function readBody(fields: readonly string[], text: string): ReadBody {
  const length = fields.find((line) => line.startsWith('content-length: '))?.slice('content-length: '.length);
  if (length !== undefined)
    return { body: text.slice(0, Number(length)), trailers: [], rest: text.slice(Number(length)) };
  return fields.includes('transfer-encoding: chunked') ? readChunks(text) : { body: text, trailers: [], rest: '' };
}

/** A truncated body is the received part, followed by a mark. */
function readChunks(text: string): ReadBody {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(text.slice(at, lineEnd), 16);
    if (Number.isNaN(size) || text.length < lineEnd + 4 + size) return { body: `${body}(cut)`, trailers: [], rest: '' };
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd);
      const trailers = text
        .slice(lineEnd + 2, Math.max(end, lineEnd + 2))
        .split('\r\n')
        .filter((line) => line !== '');
      return { body, trailers: trailers.map(plainLine), rest: text.slice(end + 4) };
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
