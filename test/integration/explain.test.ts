// `explain` agrees with served traffic: route, action, upstream, endpoint and Host of random requests, on both paths.
// Requests are sequential, so that turns are predictable too. Thread: main.

import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import type { ExplainQuery, ExplainReply } from '../../admin/api/explain-schemas.ts';
import { clockSince } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { explain } from '../../control/explain/explanation.ts';
import { AppServer } from '../support/app-server.ts';
import { PATHS, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { shortOrLong } from '../support/test-length.ts';
import { type AskedRequest, randomConfig, randomRequest, ROUTED_UPSTREAMS } from '../support/random-routes.ts';

/** `npm run test:long` sends 10,000 requests on both paths together. */
const CONFIGS = shortOrLong(3, 10);
const REQUESTS_EACH = 500;
const ENDPOINTS_EACH = 3;

/** Origin of a response, as far as the response shows it. */
interface Served {
  readonly route: string | null;
  readonly kind: ExplainReply['action']['kind'];
  readonly status: number;
  /** `upstream/host:port` */
  readonly endpoint: string | null;
  /** Host and X-Forwarded-For that the endpoint received. */
  readonly fields: readonly string[];
}

/** Endpoints that answer with their name and the received fields. */
async function startEndpoints(t: TestContext): Promise<ReadonlyMap<string, readonly AppServer[]>> {
  const servers = new Map<string, AppServer[]>();
  for (const upstream of ROUTED_UPSTREAMS) {
    const own = Array.from({ length: ENDPOINTS_EACH }, () => new AppServer(upstream));
    for (const server of own) {
      server.handler = (request, response) => {
        const { host = '', 'x-route': route = '', 'x-forwarded-for': client = '' } = request.headers;
        response.setHeader('x-served', JSON.stringify([`${upstream}/${server.address}`, route, host, client]));
        request.resume().on('end', () => response.end());
      };
      await server.start();
      t.after(() => server.kill());
    }
    servers.set(upstream, own);
  }
  return servers;
}

function send(agent: http.Agent, port: number, { method, target, host, headers }: AskedRequest): Promise<Served> {
  const fields = headers.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const);
  const options = {
    agent,
    host: '127.0.0.1',
    port,
    method,
    path: target,
    headers: { ...Object.fromEntries(fields), host },
  };
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      response.resume().on('end', () => resolve(servedBy(response)));
    });
    request.on('error', reject).end();
  });
}

function servedBy({ headers, statusCode = 0 }: http.IncomingMessage): Served {
  const said = headers['x-served'] as string | undefined;
  if (said !== undefined) {
    const [endpoint, route, ...fields] = JSON.parse(said) as string[];
    return { route: route!, kind: 'upstream', status: statusCode, endpoint: endpoint!, fields };
  }
  const { location, 'content-type': type = '' } = headers;
  const own = { status: statusCode, endpoint: null, fields: [] };
  if (location !== undefined) return { ...own, kind: 'redirect', route: location.replace('/to/', '') };
  const answer = /^text\/(r\d+)$/.exec(type)?.[1];
  // A gRPC client gets 400 as the status INTERNAL.
  const isBadRequest = statusCode === 400 || headers['grpc-status'] === '13';
  const refusal = isBadRequest ? 'ambiguous-path' : 'no-route';
  return answer === undefined ? { ...own, kind: refusal, route: null } : { ...own, kind: 'respond', route: answer };
}

function explained(reply: ExplainReply): Served {
  const { route, action, upstream, fields } = reply;
  const { kind } = action;
  assert.ok(action.kind !== 'files', 'no route here has files');
  if (action.kind !== 'upstream') return { route, kind, status: action.status, endpoint: null, fields: [] };
  const valueOf = (name: string): string => fields!.toEndpoint.find((field) => field.name === name)?.value ?? '';
  const endpoint = `${upstream!.name}/${upstream!.choice.endpoint}`;
  return { route, kind, status: 200, endpoint, fields: [fields!.host, valueOf('X-Forwarded-For')] };
}

function queryOf({ method, target, host, headers }: AskedRequest, port: number): ExplainQuery {
  const url = `http://127.0.0.1:${port}${target}`;
  return { url, method, headers: [`Host: ${host}`, ...headers], client: '127.0.0.1', listener: null };
}

/** A random choice has no predictable endpoint: it is one of the equal, or of the usable ones. */
function withoutChance(reply: ExplainReply, served: Served): { said: Served; was: Served } {
  const said = explained(reply);
  const { upstream } = reply;
  const isOneOf = upstream?.candidates.some(
    ({ name, role }) => role === 'usable' && `${upstream.name}/${name}` === served.endpoint,
  );
  const isOpen =
    upstream !== null && (upstream.choice.isByChance || upstream.balance === 'least-request') && isOneOf === true;
  if (!isOpen) return { said, was: served };
  // With the endpoint's own name as Host, Host follows the endpoint.
  const plain = ({ fields, ...rest }: Served): Served => ({
    ...rest,
    endpoint: 'one of them',
    fields: fields.slice(1),
  });
  return { said: plain(said), was: plain(served) };
}

async function callAdmin({ adminUrl }: RunningFairlead, query: ExplainQuery): Promise<ExplainReply> {
  const { url, method, headers, client } = query;
  const parameters = new URLSearchParams({ url, method, client });
  for (const header of headers) parameters.append('header', header);
  const response = await fetch(`${adminUrl}/api/v1/explain?${parameters.toString()}`);
  assert.equal(response.status, 200);
  return (await response.json()) as ExplainReply;
}

describe('explain agrees with served traffic', () => {
  for (const fastPath of PATHS) {
    test(`for ${CONFIGS * REQUESTS_EACH} requests, ${fastPath ? 'fast' : 'general'} path`, async (t) => {
      const random = seededRandom(fastPath ? 20_261_121 : 20_261_122);
      const servers = await startEndpoints(t);
      const addressesOf = (upstream: string): string[] =>
        servers.get(upstream)!.map(({ address }) => `http://${address}`);
      const nextConfig = (): string =>
        JSON.stringify({ ...randomConfig(random, fastPath, addressesOf), admin: { bind: '127.0.0.1:0' } });
      const fairlead = await startFairlead(t, nextConfig());
      const agent = new http.Agent({ keepAlive: true });
      t.after(() => agent.destroy());
      const { plane } = fairlead;
      const ports = new Map(plane.bound.map(({ name, port }) => [name, port]));
      const clock = clockSince(plane.region.originWallMs);
      const seen = new Map<string, number>();
      let known = 0;
      for (let config = 0; config < CONFIGS; config++) {
        if (config > 0) {
          fairlead.rewrite(nextConfig());
          assert.equal((await plane.reload()).ok, true);
        }
        for (let count = 0; count < REQUESTS_EACH; count++) {
          const request = randomRequest(random);
          const port = ports.get(request.listener)!;
          const query = queryOf(request, port);
          const { snapshot, region } = plane;
          const facts = { snapshot, origins: null, region, ports, clock, random: seededRandom(count) };
          const reply = count % 50 === 0 ? await callAdmin(fairlead, query) : explain(query, facts);
          const { said, was } = withoutChance(reply, await send(agent, port, request));
          assert.deepEqual(was, said, JSON.stringify({ config, count, request }));
          const what = said.kind === 'upstream' ? reply.upstream!.name : said.kind;
          seen.set(what, (seen.get(what) ?? 0) + 1);
          if (said.endpoint === explained(reply).endpoint && said.endpoint !== null) known++;
        }
      }
      assert.ok(known > (CONFIGS * REQUESTS_EACH) / 10, `only ${known} endpoints were known beforehand`);
      const kinds = [...ROUTED_UPSTREAMS, 'respond', 'redirect', 'no-route'];
      for (const kind of kinds) assert.ok((seen.get(kind) ?? 0) >= CONFIGS, `${kind}: ${seen.get(kind) ?? 0}`);
      t.diagnostic(`${JSON.stringify(Object.fromEntries(seen))}, ${known} endpoints known beforehand`);
    });
  }
});
