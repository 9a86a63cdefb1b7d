// Our HTTP/1.1 engine with heads that our client side has scanned. Thread: main.

import { fastTransport } from '../../../support/http1-parts.ts';
import { ScannedTransport } from '../../../support/scanned-heads.ts';
import { transportCases } from './cases.ts';

transportCases({
  name: 'http1, scanned heads',
  keepsUploads: true,
  make: (parts) => new ScannedTransport(fastTransport(parts)),
});
