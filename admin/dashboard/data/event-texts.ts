// Events in plain sentences. Pure. Runs in the browser.

import type { ChangeEvent, FeedEvent, Tone } from '../types.ts';
import { count } from './format.ts';
import { STATES } from './states.ts';

export interface EventText {
  readonly sign: string;
  readonly label: string;
  readonly tone: Tone;
  /** The subject: an upstream and endpoint, a route, or the configuration. */
  readonly subject: string;
  readonly text: string;
  /** Further lines. */
  readonly lines: readonly string[];
}

/** Lines of a reload; the others are counted. */
const MOST_LINES = 4;

export function eventText(event: FeedEvent): EventText {
  if (event.kind === 'change') return changeText(event);
  if (event.kind === 'reload') return reloadText(event);
  if (event.kind === 'source') return sourceText(event);
  if (event.kind === 'provider') return providerText(event);
  if (event.kind === 'membership') return membershipText(event);
  if (event.kind === 'maintenance') {
    const { of, name, on, cause } = event;
    const text = on ? 'Requests are answered 503.' : 'Requests are served again.';
    const look = on
      ? { sign: '‖', label: 'maintenance', tone: 'set' }
      : { sign: '●', label: 'in service', tone: 'good' };
    return { ...(look as Pick<EventText, 'sign' | 'label' | 'tone'>), subject: `${of} ${name}`, text, lines: [cause] };
  }
  const { route, upstream, from, to, cause } = event;
  const text = `The weight of ${upstream} changed from ${from} to ${to}.`;
  return { sign: '⇄', label: 'split', tone: 'set', subject: `route ${route}`, text, lines: [cause] };
}

function changeText(event: ChangeEvent): EventText {
  const { upstream, endpoint, cause, availability } = event;
  const { sign, label, tone } = STATES[availability];
  return { sign, label, tone, subject: `${upstream}/${endpoint}`, text: axisText(event), lines: [cause] };
}

/** Sentences by axis and new value. */
const AXES: Readonly<Record<string, string>> = {
  'admin ready': 'Put back into service.',
  'admin drain': 'Draining: it receives no new requests.',
  'admin maintenance': 'In maintenance: it receives no requests.',
  'check up': 'Heartbeats succeed.',
  'check down': 'Heartbeats fail.',
  'check unknown': 'Heartbeats have no result yet.',
  'outlier none': 'Live traffic is good again.',
  'outlier suspect': 'Suspected after a failure of live traffic.',
  'outlier ejected': 'Taken out because live traffic fails.',
  'outlier halfOpen': 'On trial: one live request decides.',
  'resolution resolved': 'Its host name has an address again.',
  'resolution unresolved': 'Its host name has no address.',
  'slowStart none': 'Slow start has ended: it carries its full weight.',
  'slowStart warming': 'Slow start: it carries part of its weight.',
  'share full': 'It carries its full share again.',
  'share reduced': 'It carries a reduced share.',
  'share asked': 'It carries the share that it requested.',
};

/** A sentence on a change of one axis. */
export function axisText({ axis, from, to }: Pick<ChangeEvent, 'axis' | 'from' | 'to'>): string {
  const known = AXES[`${axis} ${to}`];
  if (known !== undefined) return known;
  if (axis === 'weight') return `Its weight changed from ${from} to ${to}.`;
  return `Its ${AXIS_NAMES[axis]} changed from ${from} to ${to}.`;
}

export const AXIS_NAMES: Readonly<Record<ChangeEvent['axis'], string>> = {
  admin: 'requested state',
  check: 'heartbeats',
  outlier: 'live traffic',
  resolution: 'address',
  weight: 'weight',
  slowStart: 'slow start',
  share: 'share',
};

function reloadText({ ok, generation, changes, problems }: Extract<FeedEvent, { kind: 'reload' }>): EventText {
  const all = ok ? changes : problems;
  const more = all.length > MOST_LINES ? [`and ${count(all.length - MOST_LINES)} more`] : [];
  const lines = [...all.slice(0, MOST_LINES), ...more];
  const subject = 'configuration';
  if (ok) {
    const text = `Revision ${generation} is in use.`;
    return { sign: '↻', label: 'reload', tone: 'good', subject, text, lines };
  }
  const text = `Reload refused; revision ${generation} stays in use.`;
  return { sign: '✕', label: 'reload refused', tone: 'bad', subject, text, lines };
}

const SOURCE_CHANGES = {
  failed: { sign: '!', label: 'source fails', tone: 'bad', text: 'Its last endpoints stay in use.' },
  recovered: { sign: '●', label: 'source recovered', tone: 'good', text: 'Its endpoints are up to date again.' },
  held: { sign: '‖', label: 'source held', tone: 'warn', text: 'The guard holds its new set back.' },
  shrunk: { sign: '!', label: 'source shrunk', tone: 'warn', text: 'Many of its endpoints were removed at once.' },
} as const;

function sourceText({ upstream, source, subject, change, cause }: Extract<FeedEvent, { kind: 'source' }>): EventText {
  return { ...SOURCE_CHANGES[change], subject: `${source} ${subject} of ${upstream}`, lines: [cause] };
}

const PROVIDER_CHANGES = {
  failed: { sign: '!', label: 'provider fails', tone: 'bad', text: 'Its last routes stay in use.' },
  recovered: { sign: '●', label: 'provider recovered', tone: 'good', text: 'Its contribution is up to date again.' },
  refused: { sign: '!', label: 'object refused', tone: 'warn', text: 'It contributes nothing.' },
} as const;

function providerText({ provider, change, object, cause }: Extract<FeedEvent, { kind: 'provider' }>): EventText {
  return {
    ...PROVIDER_CHANGES[change],
    subject: object === '' ? provider : object,
    lines: cause === '' ? [] : [cause],
  };
}

function membershipText(event: Extract<FeedEvent, { kind: 'membership' }>): EventText {
  const { upstream, origin, added, removed, addedCount, removedCount, cause } = event;
  const changes = [
    ...(addedCount > 0 ? [`${count(addedCount)} added`] : []),
    ...(removedCount > 0 ? [`${count(removedCount)} removed`] : []),
  ];
  const names = [...added.map((id) => `+ ${id}`), ...removed.map((id) => `− ${id}`)];
  const more = names.length > MOST_LINES ? [`and ${count(names.length - MOST_LINES)} more`] : [];
  const text = `Endpoints: ${changes.join(', ')} (${origin}).`;
  const lines = [...names.slice(0, MOST_LINES), ...more, ...(cause === '' ? [] : [cause])];
  return { sign: '⇄', label: 'endpoints', tone: 'set', subject: upstream, text, lines };
}
