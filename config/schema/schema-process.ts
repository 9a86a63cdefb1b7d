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
        'Most memory that the heaps and buffers of all workers may take; beyond it new requests get 503. `auto` is 70 % of what the process may have.',
      ),
    requests: countOrNone(10_000_000)
      .prefault('none')
      .describe('Most requests in progress, waiting ones among them. Beyond it: 503.'),
    eventLoopLag: duration({ orNone: true })
      .prefault('none')
      .describe('How late the event loop of a worker may run all the time. Beyond it that worker answers 503.'),
    replayBuffers: size('1MiB', '1TiB')
      .prefault('64MiB')
      .describe(
        'Most memory for all bodies that are kept for a retry (`upstreams.*.retry.buffer` is that of one). Beyond it bodies pass, but are not kept.',
      ),
  })
  .prefault({})
  .describe('When requests are refused to protect the process. The shares of it depend on `routes[].priority`.');

export type OverloadConfig = z.output<typeof overload>;

export const reload = z
  .strictObject({
    drain: duration({ orNone: true })
      .prefault('30s')
      .describe(
        'How long upgraded connections and responses that stream may go on when a reload has taken their endpoint away; then they are closed.',
      ),
    hardStop: duration({ orNone: true })
      .prefault('none')
      .describe(
        'How long after a reload everything that began before it may go on, endpoint or not; then it is closed. `none` lets it run.',
      ),
  })
  .prefault({})
  .describe('What a reload leaves to what is open.');

const stateFile = parsedText(
  (text) => {
    if (text.length > 1 && !text.includes('\0')) return { ok: true, value: text };
    return { ok: false, message: 'the state of health is kept in a file' };
  },
  { expects: 'the path of a file', example: '/var/lib/fairlead/state.json' },
);

export const health = z
  .strictObject({
    stateFile: stateFile.describe(
      'File that keeps drains, maintenance and weights of the admin API, what heartbeats found and who is ejected. Written every second in which something changes, and read at the start. Its folder must be writable.',
    ),
    maxAge: duration()
      .prefault('60s')
      .describe('What heartbeats and live traffic found is forgotten when the file is older than this at the start.'),
  })
  .meta({ expects: 'a mapping with stateFile', example: '{ stateFile: /var/lib/fairlead/state.json }' })
  .describe('What is kept of the state of endpoints over a restart and an upgrade. Absent: nothing.');
