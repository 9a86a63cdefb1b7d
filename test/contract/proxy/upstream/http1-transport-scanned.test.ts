// The fast transport with request heads that the fast client side has scanned. Thread: main.

import { fastTransport } from '../../../support/http1-parts.ts';
import { ScannedTransport } from '../../../support/scanned-heads.ts';
import { transportCases } from './cases.ts';

transportCases({
  name: 'fast, scanned heads',
  sendsTrailers: true,
  make: (parts) => new ScannedTransport(fastTransport(parts)),
});
