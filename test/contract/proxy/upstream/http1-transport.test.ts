// The fast transport with request heads of any client side. Thread: main.

import { fastTransport } from '../../../support/http1-parts.ts';
import { transportCases } from './cases.ts';

transportCases({ name: 'fast', sendsTrailers: true, make: (parts) => fastTransport(parts) });
