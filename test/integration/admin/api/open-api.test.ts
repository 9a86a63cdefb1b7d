// The OpenAPI document and the handlers say the same: asked over real sockets. That every other answer in these tests
// fits the document is checked in asked-server.ts. Thread: main.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AskedServer, errorCode } from '../asked-server.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

let asked: AskedServer;
let text = '';
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {};

before(async () => {
  asked = await AskedServer.start();
  asked.context.reload = () => Promise.resolve({ ok: true, revision: 8, changes: [] });
  asked.context.upgrade = () => Promise.resolve({ ok: true, pid: 7 });
  const answer = await asked.ask('GET', '/api/v1/openapi.json');
  text = answer.text;
  paths = answer.json()['paths'] as typeof paths;
});
after(() => asked.server.close());

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const BODIES: Readonly<Record<string, unknown>> = {
  postUpstreamsEndpoints: { url: 'http://127.0.0.1:3009' },
  postCertificates: { name: 'example.com' },
  patchEndpointsByEndpoint: { admin: 'drain', weight: 2 },
  postEndpointsState: { admin: 'ready' },
  postEndpointsWeight: { weight: null },
  postMaintenance: { name: 'web', of: 'upstream', on: true },
  postSplits: { route: 'trial', upstream: 'api', weight: 5 },
};

/** Where a parameter of the query is needed. */
const QUERIES: Readonly<Record<string, string>> = { getExplain: '?url=http://a.test/' };

/** Answers other than 200: only an endpoint that was added at run time can be removed. */
const STATUSES: Readonly<Record<string, number>> = { deleteEndpointsByEndpoint: 409 };

/** A path with names that there are. */
function real(path: string): string {
  return path.replace('{upstream}', 'api').replace('{endpoint}', '127.0.0.1:3001').replace('{generation}', '7');
}

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1 with unique operation ids and parameters for every name in a path', () => {
    assert.match(String((JSON.parse(text) as Record<string, unknown>)['openapi']), /^3\.1\.\d$/);
    const ids = Object.values(paths).flatMap((operations) => Object.values(operations).map((one) => one.operationId));
    assert.equal(new Set(ids).size, ids.length);
    for (const [path, operations] of Object.entries(paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const { parameters = [], summary } of Object.values(operations)) {
        assert.deepEqual(
          parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
          names,
        );
        assert.notEqual(summary, '');
      }
    }
  });

  test('refers to nothing that it does not have', () => {
    const document = JSON.parse(text) as { components: { schemas: object } };
    const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(names.length > 0);
    for (const name of names) {
      assert.match(name, /^#\/components\/schemas\/\w+$/);
      assert.ok(Object.hasOwn(document.components.schemas, name.split('/').at(-1)!), name);
    }
  });

  test('has every route that is served, and each answers as it says', async () => {
    // The text of the first revision is recorded a second after the start.
    asked.context.clock.advance(1_000);
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { operationId, requestBody }] of Object.entries(operations)) {
        const headers = { 'content-type': 'application/json' };
        const body = requestBody === undefined ? undefined : JSON.stringify(BODIES[operationId] ?? {});
        const options = body === undefined ? {} : { body, headers };
        const answer = await asked.ask(method.toUpperCase(), `${real(path)}${QUERIES[operationId] ?? ''}`, options);
        assert.equal(answer.status, STATUSES[operationId] ?? 200, `${method} ${path}: ${answer.text}`);
      }
    }
  });

  test('leaves out no method: all others are refused with those that it has', async () => {
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of METHODS.filter((one) => !Object.hasOwn(operations, one))) {
        const answer = await asked.ask(method.toUpperCase(), real(path));
        assert.equal(answer.status, 405, `${method} ${path}`);
        const allowed = String(answer.headers.allow).toLowerCase().split(', ');
        const expected = Object.keys(operations).flatMap((one) => (one === 'get' ? ['get', 'head'] : [one]));
        assert.deepEqual(allowed, [...expected, 'options']);
      }
      const options = await asked.ask('OPTIONS', real(path));
      assert.deepEqual([options.status, options.text], [204, '']);
      assert.ok(options.headers.allow?.endsWith('OPTIONS'));
    }
  });

  test('has every path: the list of what there is in a 404 is the same', async () => {
    const answer = await asked.ask('GET', '/nothing');
    assert.equal(errorCode(answer), 'not-found');
    const listed = (answer.json()['paths'] as string[]).map((line) => line.split(':  ')[0]!.split(' ').slice(0, 2));
    const served = listed.map(([method, path]) => `${method} ${path!.replace(/:$/, '')}`);
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    assert.deepEqual(served.toSorted(), described.toSorted());
  });
});
