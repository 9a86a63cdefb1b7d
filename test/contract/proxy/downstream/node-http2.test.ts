// The downstream contract over node:http2. Thread: main.

import { testCertificate } from '../../../support/certificates.ts';
import { type AdaptorUnderTest, messageCases } from './cases.ts';
import { endingCases } from './cases-endings.ts';
import { Bench } from './bench.ts';
import { Http2Client } from './contract-client.ts';

const TLS = { certificates: [testCertificate(['example.test'])], minVersion: 'TLSv1.2', http2: true } as const;

const HTTP2: AdaptorUnderTest = {
  name: 'http2',
  version: '2.0',
  keepsBodies: false,
  open: async (options = {}) => {
    const bench = await new Bench({ ...options, listener: { ...options.listener, tls: TLS } }).start();
    return { bench, client: new Http2Client(bench.port) };
  },
};

messageCases(HTTP2);
endingCases(HTTP2);
