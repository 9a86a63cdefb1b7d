// `fairlead check --strict-dns` resolves the names of endpoints and DNS sources; without it nothing is resolved.
// Thread: main.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { check } from '../../../bin/commands/config/check.ts';
import type { CheckReport } from '../../../config/problems/problem-report.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { configFile } from '../../support/fairlead-process.ts';

/** The system's resolver of a test, and everything that was resolved by any means. */
function scriptResolver(t: TestContext, known: readonly string[]): string[] {
  const resolved: string[] = [];
  const lookup = (host: string): Promise<{ address: string; family: number }> => {
    resolved.push(host);
    if (known.includes(host)) return Promise.resolve({ address: '10.0.0.1', family: 4 });
    return Promise.reject(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }));
  };
  const { createSocket } = dgram;
  t.mock.method(dns.promises, 'lookup', lookup as never);
  t.mock.method(dns, 'lookup', ((host: string) => resolved.push(host)) as never);
  t.mock.method(dgram, 'createSocket', ((type: 'udp4') => {
    resolved.push('by datagram');
    return createSocket(type);
  }) as never);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return resolved;
}

async function report(t: TestContext, file: string, resolvesNames: boolean) {
  const printed: string[] = [];
  const { mock } = t.mock.method(console, 'log', (text: string) => printed.push(text));
  process.exitCode = 0;
  await check({ file, isStrict: false, format: 'json', resolvesNames });
  const { exitCode } = process;
  process.exitCode = 0;
  mock.restore();
  const { problems } = JSON.parse(printed.join('\n')) as CheckReport;
  const places = problems.map(({ line, column, path: at, message, code }) => {
    return `${line}:${column} ${at} ${message} [${code}]`;
  });
  return { exitCode, places, carets: problems.map(({ column, endColumn }) => endColumn - column) };
}

test('names that do not resolve are errors at their places, and only with --strict-dns', async (t) => {
  const server = await startDnsServer(t);
  server.zone.set('good.test A', { answers: ['good.test 60 A 10.0.0.1'] });
  server.zone.set('broken.test A', { code: 2 });
  const resolved = scriptResolver(t, ['known.test']);
  const resolvers = `"127.0.0.1:${server.port}"`;
  const { file, folder } = configFile(
    t,
    `listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ match: { path: /a }, upstream: a }, { match: { path: /b }, upstream: b }, { upstream: c }]
include: [more.yaml]
upstreams:
  a:
    endpoints: ["http://known.test:1", "http://lost.test:2", { url: "http://lost.test:3", weight: 2 }, "http://10.0.0.1"]
    health: { heartbeat: false }
  b:
    discover: { dns: { name: good.test, port: 80, type: A, resolvers: ${resolvers} } }
    health: { heartbeat: false }
`,
  );
  const included = `upstreams:
  c: { discover: { dns: { name: broken.test, port: 80, type: A, resolvers: ${resolvers} } }, health: { heartbeat: false } }
`;
  writeFileSync(path.join(folder, 'more.yaml'), included);

  const plain = await report(t, file, false);
  assert.deepEqual([plain.exitCode, plain.places, resolved, server.asked], [0, [], [], []]);

  const strict = await report(t, file, true);
  assert.equal(strict.exitCode, 1);
  const cause = "lost.test doesn't resolve here: the system finds no address (ENOTFOUND) [FL5001]";
  assert.match(
    strict.places[0]!,
    /^2:33 upstreams\.c\.discover\.dns\.name broken\.test doesn't resolve here: .*SERVFAIL/,
  );
  assert.deepEqual(strict.places.slice(1), [
    `6:48 upstreams.a.endpoints[1] ${cause}`,
    `6:77 upstreams.a.endpoints[2].url ${cause}`,
  ]);
  assert.deepEqual(strict.carets, [11, 9, 9], 'the names are marked');
  assert.deepEqual(resolved.filter((one) => one !== 'by datagram').toSorted(), ['known.test', 'lost.test']);
});
