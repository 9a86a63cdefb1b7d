// The general path's suites of HTTP/1.1, over the fast path: what they say of the wire holds for both. Thread: main.

import { useFastPath } from '../../../../contract/proxy/downstream/bench.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';

useFastPath(sharedParts);
await import('../node/node-http1-messages.test.ts');
await import('../node/node-http1-refusals.test.ts');
await import('../node/node-http1-turns.test.ts');
await import('../listeners.test.ts');
await import('../resets.test.ts');
await import('../tls.test.ts');
await import('../upgrades.test.ts');
