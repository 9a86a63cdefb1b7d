// Nanoseconds to decode and to encode a header block of a browser's request. Thread: main.
// Usage: node scripts/bench/hpack.ts

import { bench, do_not_optimize, group, run } from 'mitata';
import { HpackDecoder } from '../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../proxy/http2/hpack-encoder.ts';

const FIELDS = [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':authority',
  'www.example.com',
  ':path',
  '/products/index.html?sort=price',
  'user-agent',
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'accept',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language',
  'en-US,en;q=0.5',
  'accept-encoding',
  'gzip, deflate, br, zstd',
  'referer',
  'https://www.example.com/',
  'cookie',
  'session=7b1f9a3c5d; theme=dark',
];
const LIMITS = { listBytes: 65_536, fields: 200 };
const ignore = (): void => undefined;

function blockOf(encoder: HpackEncoder): Buffer {
  return Buffer.from(encoder.encode(FIELDS));
}

group('decode', () => {
  const literals = blockOf(new HpackEncoder(0));
  const decoder = new HpackDecoder(4096, LIMITS);
  bench('literals, Huffman-coded', () => do_not_optimize(decoder.decode(literals, 0, literals.length, ignore)));
  const encoder = new HpackEncoder(4096);
  const indexedDecoder = new HpackDecoder(4096, LIMITS);
  const first = blockOf(encoder);
  indexedDecoder.decode(first, 0, first.length, ignore);
  const repeated = blockOf(encoder);
  bench('repeated, indexed', () => do_not_optimize(indexedDecoder.decode(repeated, 0, repeated.length, ignore)));
});

group('encode', () => {
  const plain = new HpackEncoder(0);
  bench('literals', () => do_not_optimize(plain.encode(FIELDS)));
  const indexed = new HpackEncoder(4096);
  bench('repeated, indexed', () => do_not_optimize(indexed.encode(FIELDS)));
});

await run({ colors: false });
