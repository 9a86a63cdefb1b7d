// Events in sentences, folded and filtered. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterEvents, foldEvents } from '../../../../../admin/dashboard/data/event-folding.ts';
import { eventText } from '../../../../../admin/dashboard/data/event-texts.ts';
import type { EventReply } from '../../../../../admin/api/reply-schemas.ts';

type Change = Extract<EventReply, { kind: 'change' }>;

function change(id: number, parts: Partial<Change> = {}): Change {
  const at = new Date(Date.UTC(2026, 0, 1) - id * 60_000).toISOString();
  const subject = { upstream: 'api', endpoint: '10.0.0.1:3000', axis: 'check', from: 'up', to: 'down' } as const;
  return {
    id: String(id),
    kind: 'change',
    at,
    ...subject,
    detector: 'heartbeat',
    cause: 'refused',
    availability: 'down',
    ...parts,
  };
}

const RELOAD: EventReply = {
  id: 'r',
  kind: 'reload',
  at: '2026-01-01T00:00:00.000Z',
  ok: false,
  generation: 3,
  changes: [],
  problems: ['a', 'b', 'c', 'd', 'e', 'f'],
};

test('changes of the same kind of one endpoint fold, also around other events; later ones do not', () => {
  const other = change(1, { endpoint: '10.0.0.2:3000' });
  const folded = foldEvents([change(0), other, RELOAD, change(2, { to: 'up' }), change(3), change(30)]);
  assert.deepEqual(
    folded.map(({ event, count, firstAt }) => [event.id, count, firstAt]),
    [
      ['0', 3, change(3).at],
      ['1', 1, other.at],
      ['r', 1, RELOAD.at],
      ['30', 1, change(30).at],
    ],
  );
  assert.equal(foldEvents([change(0), change(1, { axis: 'outlier', to: 'ejected' })]).length, 2);
});

test('events are filtered by kind, by severity, and by the words of their sentences', () => {
  const events = [change(0), change(1, { availability: 'up', to: 'up', cause: '2 of 2' }), RELOAD];
  const ids = (kind: '' | 'problem' | 'reload' | 'change', text = ''): string[] =>
    filterEvents(events, { kind, text }).map(({ id }) => id);
  assert.deepEqual(
    [ids(''), ids('problem'), ids('reload'), ids('change')],
    [['0', '1', 'r'], ['0', 'r'], ['r'], ['0', '1']],
  );
  assert.deepEqual([ids('', 'HEARTBEATS succeed'), ids('', 'configuration'), ids('', 'nothing')], [['1'], ['r'], []]);
});

test('sentences name what happened, without names of axes', () => {
  const sentences = [
    change(0),
    change(0, { axis: 'outlier', to: 'none' }),
    change(0, { axis: 'weight', from: '1', to: '7' }),
    change(0, { axis: 'share', from: 'full', to: 'half' }),
  ].map((event) => eventText(event).text);
  assert.deepEqual(sentences, [
    'Heartbeats fail.',
    'Live traffic is good again.',
    'Its weight changed from 1 to 7.',
    'Its share changed from full to half.',
  ]);
  assert.deepEqual(eventText(RELOAD).lines, ['a', 'b', 'c', 'd', 'and 2 more']);
});

test('changes of providers are sentences too', () => {
  const event = { id: 'p', kind: 'provider', at: '2026-01-01T00:00:00.000Z', provider: 'kubernetes' } as const;
  const failed = eventText({ ...event, change: 'failed', object: '', cause: 'connection refused' });
  assert.deepEqual([failed.subject, failed.tone, failed.lines], ['kubernetes', 'bad', ['connection refused']]);
  const refused = eventText({
    ...event,
    change: 'refused',
    object: 'kubernetes ingress shop/web',
    cause: 'no service',
  });
  assert.deepEqual([refused.subject, refused.tone], ['kubernetes ingress shop/web', 'warn']);
});

test('changes of sources and of their endpoints are sentences too', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const source = { id: 's', kind: 'source', at, upstream: 'api', source: 'dns', subject: 'api.test' } as const;
  const failed = eventText({ ...source, change: 'failed', cause: 'SERVFAIL', endpoints: 2 });
  assert.deepEqual([failed.subject, failed.tone, failed.lines], ['dns api.test of api', 'bad', ['SERVFAIL']]);
  const counts = {
    addedCount: 6,
    removedCount: 1,
    added: ['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1'],
    removed: ['z:1'],
  };
  const member = eventText({ id: 'm', kind: 'membership', at, upstream: 'api', origin: 'dns', cause: '', ...counts });
  assert.equal(member.text, 'Endpoints: 6 added, 1 removed (dns).');
  assert.deepEqual(member.lines, ['+ a:1', '+ b:1', '+ c:1', '+ d:1', 'and 3 more']);
});
