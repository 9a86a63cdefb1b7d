// HTTP/2 over our engine. Thread: main.

import { useFastPath } from '../../../../contract/proxy/downstream/bench.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { http2Cases } from './http2-cases.ts';

http2Cases(sharedParts);

useFastPath(sharedParts);
await import('../../../../regress/http2-honest-clients.test.ts');
