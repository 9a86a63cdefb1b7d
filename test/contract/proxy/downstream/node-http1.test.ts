// The downstream contract over node:http. Thread: main.

import { type AdaptorUnderTest, messageCases } from './cases.ts';
import { endingCases } from './cases-endings.ts';
import { Bench } from './bench.ts';
import { Http1Client } from './contract-client.ts';

const HTTP1: AdaptorUnderTest = {
  name: 'http1',
  version: '1.1',
  keepsBodies: false,
  open: async (options = {}) => {
    const bench = await new Bench(options).start();
    return { bench, client: new Http1Client(bench.port) };
  },
};

messageCases(HTTP1);
endingCases(HTTP1);
