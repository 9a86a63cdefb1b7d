// Our HTTP/1.1 engine with heads of any client side. Thread: main.

import { fastTransport } from '../../../support/http1-parts.ts';
import { transportCases } from './cases.ts';

transportCases({ name: 'http1', keepsUploads: true, make: (parts) => fastTransport(parts) });
