// Asks an admin server over real sockets. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AdminRoute } from '../../../admin/api/admin-route.ts';
import { ADMIN_ROUTES } from '../../../admin/api/admin-routes.ts';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { openApiOf } from '../../../admin/api/open-api.ts';
import { problem } from '../../../admin/api/reply-schemas.ts';
import type { AdminSnapshot } from '../../../core/snapshot/admin.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const DOCUMENT = openApiOf('1.2.3');

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  // Tests check the JSON by their assertions.
  readonly json: () => Record<string, unknown>;
}

/** With `ca` over TLS. */
export type AskOptions = Omit<https.RequestOptions, 'method' | 'path' | 'headers'> & {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

/** A server on a port that the system chose, with a context that the test plays. */
export class AskedServer {
  readonly context = new FakeContext();
  readonly server = new AdminServer(this.context);
  port = 0;

  static async start(parts: Partial<AdminSnapshot> = {}): Promise<AskedServer> {
    const asked = new AskedServer();
    const address = await asked.server.start(adminAt(LOOPBACK, parts));
    asked.port = portOf(address);
    return asked;
  }

  async ask(method: string, target: string, options: AskOptions = {}): Promise<Answer> {
    const { body, headers = {}, ...where } = options;
    const to = { host: '127.0.0.1', port: this.port, agent: false, ...where };
    const request = (options.ca === undefined ? http : https).request({ ...to, method, path: target, headers });
    request.end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const json = () => JSON.parse(text) as Record<string, unknown>;
    const answer = { status: response.statusCode!, headers: response.headers, text, json };
    if (method !== 'HEAD') assertDescribed(method, target, answer);
    return answer;
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

/** Of an address as `start` returns it. */
export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)![1]);
}

/** Every answer that a test gets is one that the OpenAPI document describes. */
function assertDescribed(method: string, target: string, answer: Answer): void {
  const type = (answer.headers['content-type'] ?? '').split(';')[0]!;
  if (type === 'application/problem+json') problem.parse(answer.json());
  const path = target.split('?')[0]!;
  const pattern = (route: AdminRoute) =>
    new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
  const route = ADMIN_ROUTES.find((one) => one.method === method && pattern(one).test(path));
  if (route === undefined) {
    // The dashboard's files are no part of the API.
    if (path === '/' || path.startsWith('/dashboard')) return;
    assert.ok([204, 401, 403, 404, 405].includes(answer.status), `${method} ${target}: ${answer.status}`);
    return;
  }
  const described = responsesOf(route)[answer.status];
  assert.ok(described !== undefined || answer.status === 500, `${method} ${target} answers ${answer.status}`);
  if (described === undefined) return;
  assert.ok(Object.hasOwn(described.content, type), `${method} ${target} answers ${answer.status} as ${type}`);
  if (type === 'application/json' && typeof route.reply !== 'string') route.reply.parse(answer.json());
}

interface DescribedResponse {
  readonly content: Readonly<Record<string, unknown>>;
}

function responsesOf({ method, path }: AdminRoute): Readonly<Record<number, DescribedResponse>> {
  const paths = DOCUMENT['paths'] as Record<string, Record<string, { responses: Record<number, DescribedResponse> }>>;
  return paths[path.replaceAll(/:(\w+)/g, '{$1}')]![method.toLowerCase()]!.responses;
}

export function errorCode(answer: Answer): unknown {
  return answer.json()['code'];
}

/** Where the state of the endpoint in slot 1 is set. */
export const STATE = '/api/v1/endpoints/api/127.0.0.1:3001/state';
