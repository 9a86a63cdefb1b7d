// Schema of `tracing`: the receiver of spans, and sampling. Thread: main.

import { z } from 'zod';
import { duration, fieldValue, label, parsedText, percent, size, token } from './schema-values.ts';
import { type Parsed, quoted } from '../values/parsed.ts';

const attribute = parsedText(
  (text) => {
    if (/^[a-z][\w.-]{0,127}$/i.test(text)) return { ok: true, value: text };
    const message = `${JSON.stringify(text)} is not the name of an attribute: letters, digits, "_", "-" and "." are allowed`;
    return { ok: false, message };
  },
  { expects: 'the name of an attribute', example: 'deployment.environment.name' },
);

export const tracing = z
  .strictObject({
    endpoint: parsedText(parseReceiverUrl, {
      expects: 'an http:// or https:// URL',
      example: 'http://127.0.0.1:4318',
    }).describe('Receiver of spans by OTLP over HTTP. `/v1/traces` is added to a URL without a path.'),
    sampling: percent('1%')
      .prefault('1%')
      .describe('Share of new traces that is recorded, chosen at random; the others cost no span.'),
    parent: z
      .enum(['trusted', 'follow', 'ignore'])
      .default('trusted')
      .describe(
        'Use of the `traceparent` of clients. `trusted`: the trace is continued, and is recorded as its flag says if the client is in `trustedProxies`, by `sampling` otherwise. `follow`: the flag of every client counts. `ignore`: every request begins a new trace.',
      ),
    service: label('fairlead').prefault('fairlead').describe('Name of this service in traces (`service.name`).'),
    attributes: z
      .record(attribute, label('prod').describe('Value of the attribute.'))
      .meta({ expects: 'a mapping of names to texts', example: '{ deployment.environment.name: prod }' })
      .describe('Further attributes of the resource in traces.')
      .optional(),
    headers: z
      .record(token('the name of a header field', 'authorization'), fieldValue().describe('Value of the field.'))
      .meta({
        expects: 'a mapping of field names to values',
        example: '{ authorization: "Bearer ${OTLP_TOKEN}" }',
        isSecret: true,
      })
      .describe('Fields of requests to the receiver, such as a token.')
      .optional(),
    compression: z.enum(['none', 'gzip']).default('none').describe('Coding of requests to the receiver.'),
    timeout: duration().prefault('10s').describe('Time for one request to the receiver.'),
    queue: size('64KiB', '1GiB')
      .prefault('8MiB')
      .describe('Memory for spans while the receiver is slow or down. Beyond it the oldest are lost, and counted.'),
  })
  .meta({ expects: 'a mapping with endpoint', example: '{ endpoint: "http://127.0.0.1:4318", sampling: 1% }' })
  .describe('Traces by OpenTelemetry (docs/tracing.md). Disabled if absent.');

/** Path of traces below the base of a receiver (OTLP specification, section OTLP/HTTP Request). */
const TRACES_PATH = '/v1/traces';
/** Port of OTLP over gRPC, which many try first. */
const GRPC_PORT = '4317';

/** Parses a URL; the result has a path. */
function parseReceiverUrl(text: string): Parsed<string> {
  const refuse = (why: string): Parsed<string> => ({ ok: false, message: `${quoted(text)} is not a receiver: ${why}` });
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return refuse('write http://host:4318');
  if (url.username !== '' || url.password !== '') return refuse('write credentials in headers, not in the URL');
  if (url.hash !== '') return refuse('a fragment has no meaning');
  if (url.port === GRPC_PORT) return refuse('4317 is the port of OTLP over gRPC; OTLP over HTTP is at 4318');
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return { ok: true, value: url.href };
}
