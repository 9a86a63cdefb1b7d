// Asks an admin server over real sockets. Thread: main.

import { once } from 'node:events';
import http from 'node:http';
import { AdminServer } from '../../../admin/admin-server.ts';
import { FakeContext } from '../../unit/admin/fake-context.ts';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  // What a test reads of JSON is checked by the assertions on it.
  readonly json: () => Record<string, unknown>;
}

export type AskOptions = Omit<http.RequestOptions, 'method' | 'path' | 'headers'> & {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

/** A server on a port that the system chose, with a context that the test plays. */
export class AskedServer {
  readonly context = new FakeContext();
  readonly server = new AdminServer(this.context);
  port = 0;

  static async start(): Promise<AskedServer> {
    const asked = new AskedServer();
    const address = await asked.server.start({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    asked.port = Number(address.split(':')[1]);
    return asked;
  }

  async ask(method: string, target: string, options: AskOptions = {}): Promise<Answer> {
    const { body, headers = {}, ...where } = options;
    const to = { host: '127.0.0.1', port: this.port, agent: false, ...where };
    const request = http.request({ ...to, method, path: target, headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const json = () => JSON.parse(text) as Record<string, unknown>;
    return { status: response.statusCode!, headers: response.headers, text, json };
  }

  post(target: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask('POST', target, { body: text, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** The admin state that the endpoint of STATE has. */
  get admin(): string {
    return this.context.health.views.get(1)!.axes.admin;
  }
}

export function errorCode(answer: Answer): unknown {
  return (answer.json()['error'] as { code: string }).code;
}

/** Where the state of the endpoint in slot 1 is set. */
export const STATE = '/api/v1/endpoints/api/127.0.0.1:3001/state';
