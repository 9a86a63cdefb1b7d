// The transports that a regression test on the endpoint's side runs against. Thread: main.

import { UndiciTransport } from '../../proxy/upstream/undici/undici-transport.ts';
import { fastTransport } from './http1-parts.ts';
import { ScannedTransport } from './scanned-heads.ts';
import type { TransportUnderTest } from './transport-bench.ts';

export const TRANSPORTS: readonly TransportUnderTest[] = [
  { name: 'http1', make: (parts) => fastTransport(parts) },
  { name: 'http1, scanned heads', make: (parts) => new ScannedTransport(fastTransport(parts)) },
  { name: 'undici', make: (parts) => new UndiciTransport(parts) },
];
