// The effect of a change of an endpoint, described before an operator confirms it. Pure. Runs in the browser.

import type { Change, Live, Row } from '../types.ts';
import { plural } from './format.ts';
import { STATES } from './states.ts';

export interface Consequence {
  readonly text: string;
  /** Whether no usable endpoint would be left. */
  readonly isGrave: boolean;
}

export function consequenceOf({ upstreams }: Pick<Live, 'upstreams'>, row: Row, change: Change): Consequence {
  if ('weight' in change) return { text: weightChangeText(row, change.weight), isGrave: false };
  if (change.admin === 'ready') {
    return { text: 'It receives requests as soon as heartbeats and live traffic allow.', isGrave: false };
  }
  const others = upstreams.find(({ name }) => name === row.upstream)?.endpoints ?? [];
  const left = others.filter(({ name, availability }) => name !== row.name && STATES[availability].isUsable).length;
  const flight = row.inFlight === 0 ? '' : ` The ${plural(row.inFlight, 'request')} in flight may finish.`;
  const kind =
    change.admin === 'drain'
      ? 'New requests are sent to other endpoints, except those of sticky clients; heartbeats continue.'
      : 'It receives no requests and no heartbeats.';
  if (left === 0) {
    const grave = `No other endpoint of ${row.upstream} is up: expect requests to fail.`;
    return { text: `${kind}${flight} ${grave}`, isGrave: true };
  }
  const verb = left === 1 ? 'is' : 'are';
  return { text: `${kind}${flight} ${plural(left, 'other endpoint')} of ${row.upstream} ${verb} up.`, isGrave: false };
}

function weightChangeText({ weight: before, configuredWeight }: Row, weight: number | null): string {
  const after = weight ?? configuredWeight;
  if (weight !== null && weight === before) return `Its weight is ${before} already.`;
  const until = weight === null ? 'as configured' : `until the configured weight (${configuredWeight}) changes`;
  return `Weight ${before} becomes ${after}, ${until}.`;
}
