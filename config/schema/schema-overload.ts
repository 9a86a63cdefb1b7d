// Schema of `overload`: what the process protects itself by. Thread: main.

import { z } from 'zod';
import { countOrNone, duration, size } from './schema-values.ts';

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
