// The downstream contract over the fast path. Thread: main.

import { sharedParts } from '../../../support/http1-parts.ts';
import { type AdaptorUnderTest, messageCases } from './cases.ts';
import { endingCases } from './cases-endings.ts';
import { Bench } from './bench.ts';
import { Http1Client } from './contract-client.ts';

const FAST: AdaptorUnderTest = {
  name: 'fast',
  version: '1.1',
  keepsBodies: true,
  open: async (options = {}) => {
    const bench = await new Bench({ fast: sharedParts(), ...options }).start();
    return { bench, client: new Http1Client(bench.port) };
  },
};

messageCases(FAST);
endingCases(FAST);
