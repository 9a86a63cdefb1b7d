// Registration in Consul, with a scripted agent on loopback and a fake clock. Thread: main.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import { ConsulRegistration } from '../../../../discovery/consul/consul-registration.ts';
import type { RegistrationSettings } from '../../../../discovery/consul/registration-settings.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

const INSTANCE = { id: 'edge-1', address: '10.0.0.5', port: 8080 };
const SETTINGS: RegistrationSettings = {
  address: { isTls: false, host: '127.0.0.1', port: 0, socketPath: '', basePath: '' },
  tls: { verify: true, ca: [], cert: '', key: '', serverName: '' },
  token: { secrets: { token: 's3cret' }, tokenFile: '' },
  service: 'edge',
  id: '',
  advertise: '',
  tags: ['a', 'b'],
  meta: { zone: 'eu-1a' },
  ttlMs: 15_000,
  httpCheck: '',
  intervalMs: 5_000,
  removeAfterMs: 600_000,
};

/** An agent that answers each request with the next status of its script, and 200 behind that. */
async function begin(t: TestContext, script: readonly number[], parts: Partial<RegistrationSettings> = {}) {
  const statuses = [...script];
  const requests: { readonly line: string; readonly body: Record<string, unknown>; readonly token: unknown }[] = [];
  let onRequest = (): void => undefined;
  const read = async (request: IncomingMessage): Promise<void> => {
    const body = await text(request);
    const line = `${request.method} ${request.url}`;
    requests.push({ line, body: body === '' ? {} : JSON.parse(body), token: request.headers['x-consul-token'] });
  };
  const agent = createServer((request, response) => {
    void read(request).then(() => {
      response.statusCode = statuses.shift() ?? 200;
      response.end(response.statusCode === 500 ? 'Unknown check ID' : '');
      onRequest();
    });
  }).listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const { port } = agent.address() as AddressInfo;
  const settings = { ...SETTINGS, address: { ...SETTINGS.address, port }, ...parts };
  let unreadiness = '';
  const registration = new ConsulRegistration(settings, INSTANCE, {
    clock,
    timers: clock,
    random: seededRandom(1),
    log: recordingLog(log),
    files: { readText: () => '' },
    unreadiness: () => unreadiness,
  });
  t.after(() => {
    registration.stop();
    agent.close();
    agent.closeAllConnections();
  });
  /** Waits for the request after `afterMs` of the clock, and for the effects of its answer. */
  const next = async (afterMs = 0) => {
    const count = requests.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    onRequest = resolve;
    clock.advance(afterMs);
    if (afterMs > 0 || count === 0) await promise;
    await untilIdle(clock);
    return requests.at(-1)!;
  };
  const setUnready = (reason: string): void => void (unreadiness = reason);
  return { registration, requests, log, clock, next, setUnready };
}

/** Until the step has ended: then the timer of the next one is set, and no other. */
async function untilIdle(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    await new Promise((resolve) => void setImmediate(resolve));
    if (turn > 20 && clock.pendingCount === 1) return;
  }
}

describe('a registration', () => {
  test('has the instance with its TTL check, and reports three times in a TTL', async (t) => {
    const { next, registration, setUnready } = await begin(t, []);
    const { line, body, token } = await next();
    assert.equal(line, 'PUT /v1/agent/service/register?replace-existing-checks=true');
    assert.equal(token, 's3cret');
    assert.deepEqual(body, {
      ID: 'edge-1',
      Name: 'edge',
      Port: 8080,
      Address: '10.0.0.5',
      Tags: ['a', 'b'],
      Meta: { zone: 'eu-1a' },
      Check: {
        CheckID: 'edge-1:ready',
        Name: 'Fairlead is ready',
        TTL: '15000ms',
        Status: 'passing',
        Notes: 'reported by Fairlead',
        DeregisterCriticalServiceAfter: '600000ms',
      },
    });
    assert.equal(registration.isCurrent, true);
    assert.deepEqual([registration.view().state, registration.view().confirmedAt !== null], ['current', true]);
    const report = await next(5_000);
    assert.equal(report.line, 'PUT /v1/agent/check/update/edge-1%3Aready');
    assert.deepEqual(report.body, { Status: 'passing', Output: 'ready' });
    setUnready('no worker accepts connections');
    assert.deepEqual((await next(5_000)).body, { Status: 'critical', Output: 'no worker accepts connections' });
  });

  for (const status of [404, 500]) {
    test(`is made again where the agent answers a report with ${status}`, async (t) => {
      const { next, registration, requests } = await begin(t, [200, status]);
      await next();
      await next(5_000);
      const steps = requests.map(({ line }) => /register|update/.exec(line)?.[0]);
      assert.deepEqual(steps, ['register', 'update', 'register']);
      assert.equal(registration.isCurrent, true);
    });
  }

  test('is tried again after a refusal, which is logged once with its remedy', async (t) => {
    const { next, registration, log } = await begin(t, [403, 403]);
    await next();
    assert.equal(registration.view().state, 'pending');
    assert.match(registration.view().cause, /permission denied/);
    await next(1_000);
    const warnings = log.filter(({ level }) => level === 'warn').map(({ text: words }) => words);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /registration edge-1 at Consul .* failed: permission denied \(403\).*service:write/);
    await next(2_000);
    assert.equal(registration.isCurrent, true);
    assert.match(log.at(-1)!.text, /^registered at Consul .* as edge-1 of service edge: 10\.0\.0\.5 port 8080$/);
  });

  test('with an HTTP check names its URL, and asks the agent whether it still has the instance', async (t) => {
    const { next, requests } = await begin(t, [200, 200, 404], {
      httpCheck: 'http://10.0.0.5:9900/readyz',
      removeAfterMs: 0,
    });
    const { Check } = (await next()).body;
    const expected = { HTTP: 'http://10.0.0.5:9900/readyz', Interval: '5000ms', Timeout: '5000ms' };
    assert.deepEqual(Check, { CheckID: 'edge-1:ready', Name: 'Fairlead is ready', ...expected });
    assert.equal((await next(10_000)).line, 'GET /v1/agent/service/edge-1');
    await next(10_000);
    assert.match(requests.at(-1)!.line, /register/);
  });

  test('is removed by withdraw, and kept by stop', async (t) => {
    const { next, registration, requests } = await begin(t, []);
    await next();
    await registration.withdraw();
    assert.equal(requests.at(-1)!.line, 'PUT /v1/agent/service/deregister/edge-1');
    const other = await begin(t, []);
    await other.next();
    other.registration.stop();
    assert.equal(other.requests.length, 1);
  });
});
