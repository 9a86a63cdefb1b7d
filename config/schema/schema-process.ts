// Schema of `overload`, `reload` and the top-level `health`: settings of the process as a whole. Thread: main.

import { z } from 'zod';
import { countOrNone, duration, parsedText, size } from './schema-values.ts';

const memory = z
  .union([z.literal('auto'), size('32MiB', '1TiB', { orNone: true })])
  .meta({ expects: 'auto, a size from 32MiB to 1TiB, or none', example: 'auto' });

export const overload = z
  .strictObject({
    memory: memory
      .default('auto')
      .describe(
        'Memory limit for the heaps and buffers of all workers. Above it new requests get 503. `auto` is 70 % of the memory available to the process.',
      ),
    requests: countOrNone(10_000_000)
      .prefault('none')
      .describe('Limit of requests in progress, including queued ones. Above it: 503.'),
    eventLoopLag: duration({ orNone: true })
      .prefault('none')
      .describe('Limit of the sustained event loop lag of a worker. Above it that worker answers 503.'),
    replayBuffers: size('1MiB', '1TiB')
      .prefault('64MiB')
      .describe(
        'Memory limit for all request bodies kept for retries (`upstreams.*.retry.buffer` limits one body). Above it bodies are forwarded without being kept.',
      ),
  })
  .prefault({})
  .describe('Limits above which requests are refused to protect the process, in the order of `routes[].priority`.');

export type OverloadConfig = z.output<typeof overload>;

export const reload = z
  .strictObject({
    drain: duration({ orNone: true })
      .prefault('30s')
      .describe(
        'Time for which upgraded connections and streaming responses may continue after a reload has removed their endpoint.',
      ),
    hardStop: duration({ orNone: true })
      .prefault('none')
      .describe('Time for which any exchange started before a reload may continue. `none` for no limit.'),
  })
  .prefault({})
  .describe('Grace periods of open exchanges after a reload.');

const stateFile = parsedText(
  (text) => {
    if (text.length > 1 && !text.includes('\0')) return { ok: true, value: text };
    return { ok: false, message: 'the path of the state file is empty, or contains a NUL character' };
  },
  { expects: 'the path of a file', example: '/var/lib/fairlead/state.json' },
);

export const health = z
  .strictObject({
    stateFile: stateFile.describe(
      'File that keeps drains, maintenance and weights set through the admin API, check results and ejections. Written at most once a second after changes, and read at the start. Its directory must be writable.',
    ),
    maxAge: duration()
      .prefault('60s')
      .describe('Age of the file at the start above which check results and ejections in it are ignored.'),
  })
  .meta({ expects: 'a mapping with stateFile', example: '{ stateFile: /var/lib/fairlead/state.json }' })
  .describe('Persistence of endpoint state over restarts and upgrades. Disabled if absent.');
