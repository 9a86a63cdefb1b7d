// Runs the suites on failover and limits over the general path; by default they run over the fast path. Thread: main.

import { useGeneralPath } from '../support/fairlead.ts';

useGeneralPath();
await import('./failover.test.ts');
await import('./limits.test.ts');
