// The source `dns`: when it looks a name up again, and what it yields meanwhile. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { dns } from '../../../discovery/dns-source.ts';
import type { EndpointSet } from '../../../discovery/source.ts';
import { optionSchemas } from '../../../config/schema/schema-values.ts';
import { z } from 'zod';
import { startDnsServer } from '../../support/dns-server.ts';
import { eventually } from '../../support/fairlead.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PLACE = { upstream: 'api', directory: '/etc', serverName: '' };

function settingsOf(given: object) {
  const options = z.strictObject(dns.options(optionSchemas)).parse(given);
  return { problems: dns.check!(options, PLACE).map(({ message }) => message), settings: dns.compile(options, PLACE) };
}

async function begin(t: TestContext, given: object) {
  const server = await startDnsServer(t);
  const clock = new FakeClock();
  const events: string[] = [];
  const { settings } = settingsOf({
    name: 'api.test',
    port: 80,
    type: 'A',
    resolvers: `127.0.0.1:${server.port}`,
    ...given,
  });
  const context = {
    upstream: 'api',
    clock,
    timers: clock,
    random: { next: () => 0 },
    files: { watch: () => () => undefined, readText: () => '' },
    parseList: () => ({ ok: false, cause: '' }) as const,
  };
  const answer = (ttlS: number, ...addresses: readonly string[]): void => {
    server.zone.set('api.test A', { answers: addresses.map((address) => `api.test ${ttlS} A ${address}`) });
  };
  const start = (): void => {
    const running = dns.start(settings, context, {
      publish: ({ endpoints }: EndpointSet) => void events.push(endpoints.map(({ host }) => host).join()),
      fail: (cause) => void events.push(cause),
    });
    t.after(() => running.stop());
  };
  const until = (count: number): Promise<void> => eventually(() => events.length === count, `${count} reports`);
  return { server, clock, events, answer, start, until };
}

describe('the source dns', () => {
  const INTERVALS: readonly (readonly [what: string, ttlS: number, given: object, dueMs: number])[] = [
    ['after the TTL', 5, {}, 5_000],
    ['after the floor, where the TTL is shorter', 0, { minRefresh: '2s' }, 2_000],
    ['after the ceiling, where the TTL is longer', 3_600, { refresh: '20s' }, 20_000],
  ];
  for (const [what, ttlS, given, dueMs] of INTERVALS) {
    test(`looks a name up again ${what}`, async (t) => {
      const { server, clock, events, answer, start, until } = await begin(t, given);
      answer(ttlS, '10.0.0.1');
      start();
      await until(1);
      assert.equal(clock.nextDueMs, dueMs);
      answer(ttlS, '10.0.0.2', '10.0.0.3');
      clock.advance(dueMs);
      await until(2);
      assert.deepEqual(events, ['10.0.0.1', '10.0.0.2,10.0.0.3']);
      assert.equal(server.asked.length, 2);
    });
  }

  test('reports failures, and tries again ever later', async (t) => {
    const { server, clock, events, answer, start, until } = await begin(t, {});
    server.zone.set('api.test A', { code: 2 });
    start();
    for (const [count, delayMs] of [1_000, 2_000, 4_000].entries()) {
      await until(count + 1);
      assert.equal(clock.nextDueMs - clock.nowMs(), delayMs);
      clock.advance(delayMs);
    }
    answer(9, '10.0.0.1');
    await until(4);
    assert.equal(events.at(-1), '10.0.0.1');
    assert.equal(clock.nextDueMs - clock.nowMs(), 9_000);
  });

  test('gives a server up after its time, whatever else happens', async (t) => {
    const { server, clock, events, start } = await begin(t, {});
    server.zone.set('api.test A', 'silence');
    start();
    await eventually(() => server.asked.length === 1, 'the first question');
    clock.advance(2_000);
    await eventually(() => server.asked.length === 2, 'the second question');
    clock.advance(2_000);
    await eventually(() => events.length === 1, 'the failure');
    assert.match(events[0]!, /^server 127\.0\.0\.1 doesn't answer within 2000 ms$/);
  });
});

describe('the options of the source dns', () => {
  test('are checked against each other', () => {
    assert.deepEqual(settingsOf({ name: 'a.test', port: 80 }).problems, []);
    assert.match(settingsOf({ name: 'a.test' }).problems[0]!, /"port" is required with type A\+AAAA/);
    assert.match(settingsOf({ name: 'a.test', type: 'SRV', port: 80 }).problems[0]!, /"port" is not allowed/);
    const times = { minRefresh: '10s', refresh: '5s' };
    assert.match(settingsOf({ name: 'a.test', port: 80, ...times }).problems[0]!, /longer/);
  });

  test('are names, and servers by address', () => {
    for (const name of ['10.0.0.1', 'a b', 'a..b', '-a.test', '']) {
      assert.throws(() => settingsOf({ name, port: 80 }), name);
    }
    const resolversOf = (resolvers: unknown) =>
      (settingsOf({ name: 'a', port: 1, resolvers }).settings as { resolvers: unknown }).resolvers;
    assert.deepEqual(resolversOf(['10.0.0.53', '::1', '[::1]:5353', '10.0.0.53:54']), [
      { host: '10.0.0.53', port: 53 },
      { host: '::1', port: 53 },
      { host: '::1', port: 5353 },
      { host: '10.0.0.53', port: 54 },
    ]);
    assert.throws(() => resolversOf('dns.test'), 'a server has no name: nothing could resolve it');
  });
});
