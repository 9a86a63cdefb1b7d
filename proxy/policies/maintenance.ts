// Policies: answer 503 while a route or an upstream is in maintenance. No configuration has them: control/maintenance.ts
// adds them to the routes and upstreams that an operator switches off. Thread: both.

import type { CausedReply, Policy } from '../../core/policy/policy.ts';
import type { MaintenanceSwitch } from '../../core/snapshot/maintenance.ts';
import { builtIn } from './built-in.ts';

/** Data of the policies in a Snapshot. */
export interface MaintenanceData {
  readonly maintenance: Pick<MaintenanceSwitch, 'of' | 'name' | 'retryAfterS'>;
}

/** On a route: refuses before anything else is looked at, so that no sign-in or rate stands before the answer. */
export const maintenance = builtIn({
  name: 'maintenance',
  scope: 'route',
  stage: 'admit',
  needs: ['reply'],
  options: () => ({}),
  compile: (): MaintenanceData | null => null,
  create: refuseAll,
  explain: effectOf,
});

/** On an upstream: refuses requests for which another policy, such as `split`, has chosen it. */
export const upstreamMaintenance = builtIn({
  name: 'upstream-maintenance',
  scope: 'upstream',
  stage: 'identify',
  needs: ['reply'],
  options: () => ({}),
  compile: (): MaintenanceData | null => null,
  create: refuseAll,
  explain: effectOf,
});

function refuseAll({ maintenance: { retryAfterS } }: MaintenanceData): Policy {
  const reply: CausedReply = { cause: 'maintenance', fields: ['Retry-After', String(retryAfterS)] };
  return { onRequest: () => reply };
}

function effectOf({ maintenance: { of, name } }: MaintenanceData): string {
  return `answers 503: ${of} ${name} is in maintenance`;
}
