// http-proxy-3 in the benchmark. Thread: main.

import { httpProxy3 as peer } from '../../peers/http-proxy-3.ts';
import { type Proxy, plainOnly } from './proxy.ts';

export const httpProxy3: Proxy = {
  ...peer,
  refusal: (setup) => {
    if (setup.http2 !== null) return 'is measured over HTTP/1.1 only';
    return setup.workers > 1 ? 'has no workers of its own' : plainOnly(setup);
  },
  start: (setup) => {
    const { originPort, certificate } = setup;
    return peer.start(setup, originPort, certificate === null ? [] : [certificate.cert, certificate.key]);
  },
};
