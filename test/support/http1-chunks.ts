// Decodes chunked bodies from text in any pieces, by payload or by runs, for tests.

import { ChunkedDecoder, type ChunkLimits } from '../../proxy/http1/chunked-decoder.ts';
import { CODEC_ERRORS } from '../../proxy/http1/codec-error.ts';
import { DecodeEvent } from '../../proxy/http1/decode-event.ts';
import { encodeLastChunk } from '../../proxy/http1/encoder.ts';

/** What decoding came to. */
export interface Decoded {
  /** 'done', 'more', or the name of the error. */
  readonly outcome: string;
  /** The payload; in runs: what would be written to a peer, last chunk included once done. */
  readonly output: string;
  readonly payloadBytes: number;
  /** Bytes behind the body. */
  readonly rest: string;
  readonly trailers: readonly string[] | null;
}

/** Decodes `text` (latin1), given in pieces that end at `cuts`. */
export function decodeChunks(
  text: string,
  method: 'next' | 'nextRun',
  cuts: readonly number[] = [],
  limits?: ChunkLimits,
): Decoded {
  const decoder = new ChunkedDecoder(limits);
  let output = '';
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    const bytes = Buffer.from(text.slice(from, cut), 'latin1');
    let at = 0;
    let event = decoder[method](bytes, at, bytes.length);
    while (event === DecodeEvent.DATA) {
      output +=
        (method === 'nextRun' ? decoder.prefix : '') + bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
      at = decoder.position;
      event = decoder[method](bytes, at, bytes.length);
    }
    const { payloadBytes, trailers } = decoder;
    if (event > 0) return { outcome: CODEC_ERRORS[event]!.name, output, payloadBytes, rest: '', trailers };
    if (event === DecodeEvent.DONE) {
      if (method === 'nextRun' && !decoder.isTerminated) output += encodeLastChunk(trailers);
      return { outcome: 'done', output, payloadBytes, rest: text.slice(from + decoder.position), trailers };
    }
    from = cut;
  }
  return { outcome: 'more', output, payloadBytes: decoder.payloadBytes, rest: '', trailers: null };
}
