// The downstream contract over our HTTP/2 engine. Thread: main.

import { testCertificate } from '../../../support/certificates.ts';
import { sharedParts } from '../../../support/http1-parts.ts';
import { type AdaptorUnderTest, messageCases } from './cases.ts';
import { endingCases } from './cases-endings.ts';
import { Bench } from './bench.ts';
import { Http2Client } from './contract-client.ts';

const TLS = { certificates: [testCertificate(['example.test'])], minVersion: 'TLSv1.2', http2: true } as const;

const OVER_TLS: AdaptorUnderTest = {
  name: 'http2 engine over TLS',
  version: '2.0',
  keepsBodies: true,
  open: async (options = {}) => {
    const listener = { ...options.listener, tls: TLS };
    const bench = await new Bench({ fast: sharedParts(), ...options, listener }).start();
    return { bench, client: new Http2Client(bench.port) };
  },
};

const CLEARTEXT: AdaptorUnderTest = {
  name: 'http2 engine in cleartext',
  version: '2.0',
  keepsBodies: true,
  open: async (options = {}) => {
    const listener = { ...options.listener, http2: true };
    const bench = await new Bench({ fast: sharedParts(), ...options, listener }).start();
    return { bench, client: new Http2Client(bench.port, false) };
  },
};

for (const adaptor of [OVER_TLS, CLEARTEXT]) {
  messageCases(adaptor);
  endingCases(adaptor);
}
