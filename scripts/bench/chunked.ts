// Nanoseconds to decode a chunked body that arrived in one read. Thread: main.
// Usage: node scripts/bench/chunked.ts

import { bench, do_not_optimize, group, run } from 'mitata';
import { ChunkedDecoder } from '../../proxy/http1/chunked-decoder.ts';
import { DecodeEvent } from '../../proxy/http1/decode-event.ts';
import { chunkedBody, inReadBuffer } from '../../test/support/http1-samples.ts';

const BODIES = {
  '1 chunk of 100 bytes': chunkedBody(1, 100),
  '4 chunks of 16 KiB': chunkedBody(4, 16_384),
  '64 chunks of 1 KiB': chunkedBody(64, 1024),
  '1000 chunks of 10 bytes': chunkedBody(1000, 10),
  '64 chunks of 1 KiB with extensions': chunkedBody(64, 1024).replaceAll('400\r\n', '400;a=b\r\n'),
} as const;
const decoder = new ChunkedDecoder();

for (const [name, text] of Object.entries(BODIES)) {
  const { bytes, start, end } = inReadBuffer(text);
  group(name, () => {
    bench('next', () => {
      decoder.reset();
      let at = start;
      while (decoder.next(bytes, at, end) === DecodeEvent.DATA) at = decoder.position;
      do_not_optimize(decoder.payloadBytes);
    });
  });
}

await run({ colors: false });
