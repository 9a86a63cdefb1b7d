// Colours of `status` and `top`. Pure. Thread: main.

import type { Availability } from '../../../core/availability.ts';
import type { Paint } from './status-table.ts';

export interface Paints {
  readonly red: Paint;
  readonly yellow: Paint;
  readonly dim: Paint;
  readonly bold: Paint;
  readonly inverse: Paint;
  readonly none: Paint;
}

/** ANSI colours. A state in red or yellow is also named in its row. */
export function paintsFor(hasColor: boolean): Paints {
  const paint =
    (code: number): Paint =>
    (text) =>
      hasColor ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { red: paint(31), yellow: paint(33), dim: paint(2), bold: paint(1), inverse: paint(7), none: (text) => text };
}

export function paintOf(availability: Availability, paints: Paints): Paint {
  if (availability === 'up') return paints.none;
  return availability === 'down' || availability === 'ejected' || availability === 'unresolved'
    ? paints.red
    : paints.yellow;
}
