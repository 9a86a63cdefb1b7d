// URL of a receiver of OTLP over HTTP. Thread: main.

import { type Parsed, quoted } from './parsed.ts';

/** Path of traces below the base of a receiver (OTLP specification, section OTLP/HTTP Request). */
const TRACES_PATH = '/v1/traces';
/** Port of OTLP over gRPC, which many try first. */
const GRPC_PORT = '4317';

/** Parses a URL; the result has a path. */
export function parseReceiverUrl(text: string): Parsed<string> {
  const refuse = (why: string): Parsed<string> => ({ ok: false, message: `${quoted(text)} is not a receiver: ${why}` });
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return refuse('write http://host:4318');
  if (url.username !== '' || url.password !== '') return refuse('write credentials in headers, not in the URL');
  if (url.hash !== '') return refuse('a fragment has no meaning');
  if (url.port === GRPC_PORT) return refuse('4317 is the port of OTLP over gRPC; OTLP over HTTP is at 4318');
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return { ok: true, value: url.href };
}
