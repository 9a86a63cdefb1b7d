// Schema of `accessLog`: format, destination and filters. Thread: main.

import { z } from 'zod';
import { allLogFormats } from '../../logging/access/log-formats.ts';
import { FACILITIES, SEVERITIES } from '../../core/snapshot/snapshot.ts';
import { parseSyslogAddress } from '../values/syslog-address.ts';
import { duration, oneOrMany, optionSchemas, parsedText, percent } from './schema-values.ts';

const stream = parsedText(
  (text) => {
    if (text === 'stdout' || text === 'stderr' || (text.length > 1 && !text.includes('\0')))
      return { ok: true, value: text };
    return { ok: false, message: 'the output of the access log must be stdout, stderr or a file path' };
  },
  { expects: 'stdout, stderr or a file path', example: 'stdout' },
);

const syslog = z
  .strictObject({
    syslog: parsedText(parseSyslogAddress, {
      expects: 'udp://host:514, tcp://host:601 or unix:/path',
      example: 'udp://127.0.0.1:514',
    }).describe(
      'Syslog server: messages of RFC 5424, one datagram each over UDP, with octet counting (RFC 6587) over TCP and Unix stream sockets.',
    ),
    facility: z.enum(FACILITIES).default('local0').describe('Facility of the messages.'),
    severity: z.enum(SEVERITIES).default('info').describe('Severity of the messages.'),
    app: parsedText(
      (text) => {
        if (/^[!-~]{1,48}$/.test(text)) return { ok: true, value: text };
        return { ok: false, message: 'the name must have 1 to 48 printable characters of US-ASCII without spaces' };
      },
      { expects: 'a name', example: 'fairlead' },
    )
      .prefault('fairlead')
      .describe('APP-NAME of the messages.'),
  })
  .meta({ expects: 'a mapping with syslog', example: '{ syslog: udp://127.0.0.1:514 }' });

const skippedPath = parsedText(
  (text) => {
    if (/^\/[\x21-\x7e]*$/.test(text) && !/[?#]/.test(text)) return { ok: true, value: text };
    return { ok: false, message: `${JSON.stringify(text)} is not a path: it must begin with / and have no query` };
  },
  { expects: 'a path', example: '/healthz' },
);

const FORMAT_TEXT =
  "`json`, `haproxy` (HAProxy's HTTP log format), `combined` (as in nginx and Apache), `text` (`key=value` pairs), or a format of a plugin. As a mapping with `name`: its options.";

/** Schema for the log formats that are registered now. */
export function accessLogSchema() {
  return z
    .strictObject({
      format: logFormatSchema().prefault('json').describe(FORMAT_TEXT),
      output: z
        .union([stream, syslog])
        .meta({ expects: 'stdout, stderr, a file path, or a mapping with syslog', example: 'stdout' })
        .prefault('stdout')
        .describe('`stdout`, `stderr`, a file path, or a syslog server.'),
      skip: oneOrMany(skippedPath)
        .describe('Paths, with everything below them, whose successes are not logged, such as those of health checks.')
        .optional(),
      sample: percent('10%')
        .prefault('100%')
        .describe(
          'Share of successes that is logged, chosen by their request ids. Errors and slow requests always are.',
        ),
      slow: duration({ orNone: true })
        .prefault('none')
        .describe('Total time from which a success is always logged, whatever `skip` and `sample` say.'),
    })
    .meta({ expects: 'a mapping with format and output', example: '{ format: json, output: stdout }' })
    .describe('Access log, one line per request (docs/logging.md). Disabled if absent.');
}

/** A format's name, and its options by theirs. */
type LogFormatConfig = { readonly name: string } & Readonly<Record<string, unknown>>;

/** Builds the schema for the formats that are registered now. The mapping is for formats that declare options. */
function logFormatSchema(): z.ZodType<LogFormatConfig, string | LogFormatConfig> {
  const formats = allLogFormats().map(({ name, options }) => ({ name, shape: options(optionSchemas) }));
  const names = formats.map(({ name }) => name);
  const form = ({ name, shape }: (typeof formats)[number]) =>
    z.strictObject({ name: z.literal(name).meta({ example: 'json', description: 'The format.' }), ...shape });
  const byName = z.enum(names).transform((name): LogFormatConfig => {
    return form(formats.find((format) => format.name === name)!).parse({ name });
  });
  const example = 'json';
  const [first, ...others] = formats.filter(({ shape }) => Object.keys(shape).length > 0).map(form);
  if (first === undefined) return byName.meta({ expects: `one of ${names.join(', ')}`, example });
  const mapping = z.discriminatedUnion('name', [first, ...others]);
  return z.union([byName, mapping]).meta({ expects: `${names.join(', ')}, or a mapping with name`, example });
}
