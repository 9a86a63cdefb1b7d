// Decodes chunked bodies from text in any pieces, for tests. Thread: main.

import { ChunkedDecoder, type ChunkLimits } from '../../proxy/http1/chunked-decoder.ts';
import { CODEC_ERRORS } from '../../proxy/http1/codec-error.ts';
import { DecodeEvent } from '../../proxy/http1/decode-event.ts';

/** The result of decoding. */
export interface Decoded {
  /** 'done', 'more', or the name of the error. */
  readonly outcome: string;
  /** The payload. */
  readonly output: string;
  readonly payloadBytes: number;
  /** Bytes after the body. */
  readonly rest: string;
  readonly trailers: readonly string[] | null;
}

/** Decodes `text` (latin1), given in pieces that end at `cuts`. */
export function decodeChunks(text: string, cuts: readonly number[] = [], limits?: ChunkLimits): Decoded {
  const decoder = new ChunkedDecoder(limits);
  let output = '';
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    const bytes = Buffer.from(text.slice(from, cut), 'latin1');
    let at = 0;
    let event = decoder.next(bytes, at, bytes.length);
    while (event === DecodeEvent.DATA) {
      output += bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
      at = decoder.position;
      event = decoder.next(bytes, at, bytes.length);
    }
    const { payloadBytes, trailers } = decoder;
    if (event > 0) return { outcome: CODEC_ERRORS[event]!.name, output, payloadBytes, rest: '', trailers };
    if (event === DecodeEvent.DONE) {
      return { outcome: 'done', output, payloadBytes, rest: text.slice(from + decoder.position), trailers };
    }
    from = cut;
  }
  return { outcome: 'more', output, payloadBytes: decoder.payloadBytes, rest: '', trailers: null };
}
