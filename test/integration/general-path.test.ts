// Suites that look at failing over and limits rather than at bytes, once more over the general path: with the
// fast path, the default, they run by themselves. Thread: main.

import { useGeneralPath } from '../support/fairlead.ts';

useGeneralPath();
await import('./failover.test.ts');
await import('./limits.test.ts');
