// The states of an exchange: every pair of states is allowed or an assertion. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertTransition, STATE, STATE_NAMES, type StateName } from '../../../../proxy/exchange/exchange-state.ts';

/** For each state, the states that may follow it. */
const FOLLOWERS: Readonly<Record<StateName, readonly StateName[]>> = {
  routing: ['queued', 'leasing', 'relaying', 'replied', 'done'],
  queued: ['leasing', 'backoff', 'replied', 'done'],
  leasing: ['leasing', 'sent', 'queued', 'backoff', 'relaying', 'replied', 'done'],
  sent: ['leasing', 'sent', 'queued', 'backoff', 'relaying', 'replied', 'tunnel', 'done'],
  backoff: ['leasing', 'queued', 'replied', 'done'],
  relaying: ['uploading', 'replied', 'done'],
  uploading: ['replied', 'done'],
  replied: ['done'],
  tunnel: ['done'],
  done: ['routing'],
};

for (const from of STATE_NAMES) {
  test(`${from} is followed by ${FOLLOWERS[from].join(', ')} and nothing else`, () => {
    for (const to of STATE_NAMES) {
      if (FOLLOWERS[from].includes(to)) assertTransition(STATE[from], STATE[to]);
      else
        assert.throws(() => assertTransition(STATE[from], STATE[to]), {
          message: `exchange state cannot change from ${from} to ${to}`,
        });
    }
  });
}
