// Policy: refuses requests of low priority first while the process is overloaded (docs/algorithms.md 6.2). What counts
// as an overload is measured in overload.ts. Thread: both.

import type { CausedReply } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';

const SHED: CausedReply = { cause: 'shed' };

export const shedding = builtIn({
  name: 'shedding',
  scope: 'route',
  stage: 'admit',
  needs: ['reply'],
  options: ({ z }) => ({
    priority: z
      .enum(['critical', 'default', 'sheddable'])
      .default('default')
      .describe(
        'Shedding order in an overload: `sheddable` requests are refused from 80 % of the limits in `overload` (and of `upstreams.*.limits.maxQueue`), `default` ones from 95 %, `critical` ones at 100 %.',
      ),
  }),
  /** A route that answers by itself costs less than a refusal. */
  compile: ({ priority }, { hasUpstream }) => (hasUpstream ? { priority } : null),
  explain: ({ priority }) => `refuses ${priority} requests while the process is overloaded (503)`,
  create: ({ priority }, { services }) => ({
    onRequest: () => (services.mustShed(priority) ? SHED : undefined),
  }),
});
