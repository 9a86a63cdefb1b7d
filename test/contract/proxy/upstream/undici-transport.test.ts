import { UndiciTransport } from '../../../../proxy/upstream/undici/undici-transport.ts';
import { transportCases } from './cases.ts';

transportCases({ name: 'undici', make: (parts) => new UndiciTransport(parts) });
