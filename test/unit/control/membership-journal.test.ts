// The journal of membership: events, log lines and the memory of removed endpoints. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MembershipChange } from '../../../admin/admin-context.ts';
import { MembershipJournal } from '../../../control/membership-journal.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const DNS = { source: 'dns', origin: 'dns:api.internal:3000' };
const ADDED = { source: 'api', origin: 'api' };

function begin() {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const events: MembershipChange[] = [];
  const journal = new MembershipJournal({ clock, log: recordingLog(log), onEvent: (event) => void events.push(event) });
  return { clock, journal, events, lines: () => log.map(({ text }) => text) };
}

const members = (parts: Partial<EndpointSnapshot>, ...slots: readonly number[]): EndpointSnapshot[] =>
  slots.map((slot) => endpointSnapshot(slot, parts));

describe('a change of membership', () => {
  test('of a source names its origin and the reason', () => {
    const { journal, events, lines, clock } = begin();
    journal.amended('api', members(DNS, 0, 1), members(DNS, 1, 2));
    const at = clock.wallMs();
    const origin = DNS.origin;
    const cause = 'no longer in the answer';
    const [added, removed] = [['127.0.0.1:3002'], ['127.0.0.1:3000']];
    assert.deepEqual(events, [{ at, upstream: 'api', origin, cause, added, removed }]);
    assert.deepEqual(lines(), [
      `endpoints of upstream api (${origin}): 127.0.0.1:3002 added, 127.0.0.1:3000 removed; ${cause}`,
    ]);
    assert.deepEqual(journal.departureOf('api', '127.0.0.1:3000'), { at, origin, cause });
    assert.equal(journal.departureOf('api', '127.0.0.1:3001'), null);
    journal.amended('api', members(DNS, 1, 2), members(DNS, 0, 1, 2));
    assert.equal(journal.departureOf('api', '127.0.0.1:3000'), null, 'it is back');
  });

  test('of several origins is one event for each, and names at most five addresses in the log', () => {
    const { journal, events, lines } = begin();
    const after = [...members(DNS, 0, 1, 2, 3, 4, 5, 6), ...members(ADDED, 7)];
    journal.amended('api', [], after, 'admin API');
    assert.deepEqual(
      events.map(({ origin, added, cause }) => [origin, added.length, cause]),
      [
        [DNS.origin, 7, 'by admin API'],
        ['api', 1, 'by admin API'],
      ],
    );
    assert.match(lines()[0]!, /3000 127\.0\.0\.1:3001 .*:3004 and 2 more added; by admin API$/);
  });

  test('to another origin alone is none', () => {
    const { journal, events } = begin();
    journal.amended('api', members(DNS, 0), members(ADDED, 0));
    assert.deepEqual(events, []);
  });

  test('by a reload is remembered with its reason, without an event', () => {
    const { journal, events } = begin();
    const before = [
      upstreamSnapshot({ name: 'api', endpoints: [...members({}, 0), ...members(DNS, 1)] }),
      upstreamSnapshot({ name: 'old', endpoints: members({}, 2) }),
    ];
    journal.reloaded(before, [upstreamSnapshot({ name: 'api', endpoints: [] })]);
    const causeOf = (upstream: string, id: string) => journal.departureOf(upstream, `127.0.0.1:${id}`)!.cause;
    assert.equal(causeOf('api', '3000'), 'no longer in the configuration');
    assert.equal(causeOf('api', '3001'), 'its source is no longer in the configuration');
    assert.equal(causeOf('old', '3002'), 'the configuration no longer has upstream old');
    assert.deepEqual(events, []);
  });

  test('remembers a thousand removed endpoints', () => {
    const { journal } = begin();
    const all = Array.from({ length: 1_100 }, (_, slot) => slot);
    journal.amended('api', members(DNS, ...all), []);
    assert.equal(journal.departureOf('api', '127.0.0.1:3099'), null);
    assert.notEqual(journal.departureOf('api', '127.0.0.1:3100'), null);
  });
});
