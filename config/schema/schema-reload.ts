// What a reload leaves behind, and what of health outlives the process: `reload` and `health`. Thread: main.

import { z } from 'zod';
import { duration, parsedText } from './schema-values.ts';

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
