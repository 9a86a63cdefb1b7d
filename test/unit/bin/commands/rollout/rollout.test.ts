// Phases of a rollout and its way back, with an admin API in memory. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePlan, type RolloutOptions } from '../../../../../bin/commands/rollout/rollout-plan.ts';
import { UsageError } from '../../../../../bin/commands/live/run-live-command.ts';
import { FakeRollout } from '../../../../support/fake-rollout.ts';

const OLD = '10.0.0.1:3000';
const NEW = '10.0.0.2:3000';
const START = ['run start', `add http://${NEW} drain`];
const ROLLED_BACK = [`drain ${NEW}`, `remove ${NEW}`, 'run rollback'];

/** The new endpoint is healthy after a second. */
function healthy(fake = new FakeRollout()): FakeRollout {
  fake.at.set(1_000, () => void (fake.new.check = 'up'));
  return fake;
}

describe('a rollout', () => {
  test('adds the new endpoint in drain, and serves from it before it drains and stops the old one', async () => {
    const fake = healthy();
    const { result, cause, notes } = await fake.run();
    assert.deepEqual([result, cause], ['done', '']);
    assert.deepEqual(fake.log, [...START, `ready ${NEW}`, `drain ${OLD}`, `maintenance ${OLD}`, 'run stop']);
    assert.match(notes[0]!, /10\.0\.0\.1:3000 comes from the configuration: it stays in maintenance/);
  });

  test('removes an old endpoint that the admin API has added', async () => {
    const fake = healthy();
    fake.old.source = 'api';
    assert.deepEqual((await fake.run()).notes, []);
    assert.deepEqual(fake.log, [...START, `ready ${NEW}`, `drain ${OLD}`, `remove ${OLD}`, 'run stop']);
  });

  test('waits for the slow start, however long, and for requests in flight', async () => {
    const fake = healthy();
    fake.at.set(1_000, () => Object.assign(fake.new, { check: 'up', warming: true }));
    fake.at.set(60_000, () => {
      assert.equal(fake.old.admin, 'ready');
      fake.new.warming = false;
      fake.old.inFlight = 2;
    });
    fake.at.set(120_000, () => {
      assert.equal(fake.log.at(-1), `drain ${OLD}`);
      fake.old.inFlight = 0;
    });
    assert.equal((await fake.run()).result, 'done');
    assert.ok(fake.nowMs >= 120_000);
  });

  test('stops the old process with requests in flight only after the given time', async () => {
    const fake = healthy();
    fake.old.inFlight = 1;
    assert.equal((await fake.run({ drainTimeout: '30s' })).result, 'done');
    assert.ok(fake.nowMs >= 31_000);
    assert.equal(fake.log.at(-1), 'run stop');
  });

  test('of a known endpoint drains it first, whatever it comes from', async () => {
    const fake = healthy();
    fake.put(NEW, { source: 'config', admin: 'maintenance', check: 'unknown' });
    assert.equal((await fake.run()).result, 'done');
    assert.deepEqual(fake.log.slice(0, 3), [`drain ${NEW}`, 'run start', `ready ${NEW}`]);
  });

  test('waits for the source that adds the new endpoint', async () => {
    const fake = new FakeRollout();
    fake.sources = [{ source: 'docker' }];
    fake.at.set(500, () => void fake.put(NEW, { source: 'docker' }));
    healthy(fake);
    assert.equal((await fake.run({ discovered: true })).result, 'done');
    assert.deepEqual(fake.log, ['run start', `drain ${OLD}`, `maintenance ${OLD}`, 'run stop']);
  });

  test('survives a reload of the admin API', async () => {
    const fake = healthy();
    fake.at.set(500, () => void (fake.isReachable = false));
    fake.at.set(5_000, () => void (fake.isReachable = true));
    fake.at.set(5_250, () => void (fake.new.check = 'up'));
    assert.equal((await fake.run()).result, 'done');
  });

  test('is done although the stop command fails, and reports it', async () => {
    const fake = healthy();
    fake.failures.set('stop', 'exit code 3');
    const { result, cause } = await fake.run();
    assert.deepEqual([result, cause], ['done', 'the stop command failed: exit code 3']);
  });
});

/** Each prepares a fault, and has the phase, the cause and the changes that follow. */
const FAULTS: readonly (readonly [string, (fake: FakeRollout) => void, string, RegExp, readonly string[]])[] = [
  [
    'a start command that fails',
    (fake) => fake.failures.set('start', 'exit code 7'),
    'starting',
    /^the start command failed: exit code 7$/,
    ['run start', 'run rollback'],
  ],
  [
    'an interrupt of the start command',
    (fake) => fake.at.set(-1, () => fake.abort.abort()),
    'starting',
    /^interrupted$/,
    ['run start', 'run rollback'],
  ],
  [
    'an endpoint that does not become healthy',
    () => undefined,
    'joining',
    /10\.0\.0\.2:3000 is not healthy after 10 s: check is unknown/,
    [...START, ...ROLLED_BACK],
  ],
  [
    'an interrupt before the endpoint is healthy',
    (fake) => fake.at.set(500, () => fake.abort.abort()),
    'joining',
    /^interrupted$/,
    [...START, ...ROLLED_BACK],
  ],
  [
    'an endpoint that live traffic ejects while it warms up',
    (fake) => {
      fake.at.set(1_000, () => Object.assign(fake.new, { check: 'up', warming: true }));
      fake.at.set(2_000, () => void (fake.new.availability = 'ejected'));
    },
    'warming',
    /10\.0\.0\.2:3000 is ejected/,
    [...START, `ready ${NEW}`, ...ROLLED_BACK],
  ],
  [
    'an endpoint that goes down while the old one drains',
    (fake) => {
      healthy(fake).old.inFlight = 1;
      fake.at.set(3_000, () => void (fake.new.check = 'down'));
    },
    'draining',
    /10\.0\.0\.2:3000 is down/,
    [...START, `ready ${NEW}`, `drain ${OLD}`, `ready ${OLD}`, ...ROLLED_BACK],
  ],
  [
    'an interrupt while the old endpoint drains',
    (fake) => {
      healthy(fake).old.inFlight = 1;
      fake.at.set(3_000, () => fake.abort.abort());
    },
    'draining',
    /^interrupted$/,
    [...START, `ready ${NEW}`, `drain ${OLD}`, `ready ${OLD}`, ...ROLLED_BACK],
  ],
  [
    'an endpoint that an operator removes',
    (fake) => {
      healthy(fake).old.inFlight = 1;
      fake.at.set(3_000, () => void fake.endpoints.delete(NEW));
    },
    'draining',
    /10\.0\.0\.2:3000 was removed meanwhile/,
    [...START, `ready ${NEW}`, `drain ${OLD}`, `ready ${OLD}`, 'run rollback'],
  ],
];

describe('a rollout is rolled back after', () => {
  for (const [name, prepare, phase, cause, log] of FAULTS) {
    test(name, async () => {
      const fake = new FakeRollout();
      prepare(fake);
      const outcome = await fake.run();
      assert.deepEqual([outcome.result, outcome.phase, fake.log], ['rolledBack', phase, log]);
      assert.match(outcome.cause, cause);
      assert.equal(fake.old.admin, 'ready');
    });
  }

  test('a failure to reach the admin API, and never stops a process that may serve', async () => {
    const fake = healthy();
    fake.at.set(1_000, () => {
      fake.new.check = 'up';
      fake.at.set(1_250, () => void (fake.isReachable = false));
    });
    const { result, notes } = await fake.run();
    assert.equal(result, 'rolledBack');
    assert.ok(!fake.log.includes('run rollback') && !fake.log.includes('run stop'), fake.log.join());
    assert.match(notes[0]!, /connection refused; the process of api\/10\.0\.0\.2:3000 is left running/);
  });

  test('a failure of a known endpoint, which keeps its state', async () => {
    const fake = new FakeRollout();
    fake.put(NEW, { source: 'config', admin: 'maintenance' });
    const { notes } = await fake.run();
    assert.deepEqual(fake.log, [`drain ${NEW}`, 'run start', `drain ${NEW}`, `maintenance ${NEW}`, 'run rollback']);
    assert.match(notes[0]!, /stays in maintenance: it comes from config/);
  });
});

test('a rollout that can not work changes nothing', async () => {
  const cases: readonly (readonly [RegExp, (fake: FakeRollout) => void])[] = [
    [/has no endpoint 10\.0\.0\.1:3000; there are: none$/, (fake) => fake.endpoints.clear()],
    [/has no heartbeats: .*configure health\.heartbeat/, (fake) => fake.put(OLD, { nextCheck: null })],
    [/10\.0\.0\.2:3000 is in service already/, (fake) => fake.put(NEW, { check: 'up' })],
    [/from sources \(docker\).*--discovered/, (fake) => (fake.sources = [{ source: 'docker' }])],
  ];
  for (const [message, prepare] of cases) {
    const fake = new FakeRollout();
    prepare(fake);
    await assert.rejects(fake.run(), (error) => error instanceof UsageError && message.test(error.message));
    assert.deepEqual(fake.log, []);
  }
});

test('arguments of a rollout are URLs, addresses and durations', () => {
  const plan = (options: Partial<RolloutOptions>) =>
    parsePlan('api', { old: '10.0.0.1:80', new: '10.0.0.2:80', timeout: '60s', admin: '', ...options });
  const { url, timeoutMs, drainTimeoutMs, new: next } = plan({ new: 'https://web-2:8443', timeout: '2m' });
  assert.deepEqual(
    [url, next, timeoutMs, drainTimeoutMs],
    ['https://web-2:8443', 'web-2:8443', 120_000, Number.POSITIVE_INFINITY],
  );
  assert.equal(plan({}).url, null);
  assert.equal(plan({ new: 'unix:/run/app.sock' }).new, '/run/app.sock');
  for (const [message, options] of [
    [/--old and --new are both 10\.0\.0\.1:80/, { new: '10.0.0.1:80' }],
    [/--new "10\.0\.0\.2" has no port/, { new: '10.0.0.2' }],
    [/--old: /, { old: 'ftp://10.0.0.1:80' }],
    [/--timeout: /, { timeout: 'long' }],
    [/--drain-timeout must be longer than 0/, { drainTimeout: '0s' }],
  ] as const) {
    assert.throws(() => plan(options), message);
  }
});
