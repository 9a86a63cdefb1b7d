// A log format that is added through the table alone, with options. Thread: main.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { AccessLog } from '../../../../logging/access/access-log.ts';
import { defineLogFormat } from '../../../../logging/access/format-descriptor.ts';
import { addLogFormat, allLogFormats } from '../../../../logging/access/log-formats.ts';
import type { LogTrouble } from '../../../../logging/destination/log-trouble.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { load } from '../../config/golden-cases.ts';
import { recordOf } from './sample-record.ts';

const statusOnly = defineLogFormat({
  name: 'status-only',
  options: ({ z }) => ({ prefix: z.string().default('status').describe('First word of the line.') }),
  compile: ({ prefix }) => ({ prefix }),
  build:
    ({ prefix }) =>
    ({ status, requestId }) => {
      if (status === 500) throw new Error('a fault of the format');
      return `${prefix} ${status} ${requestId}`;
    },
});

test('a format joins by one call: options, lines of one line each, and errors that are counted', () => {
  addLogFormat(statusOnly);
  assert.throws(() => addLogFormat(statusOnly), /a log format named status-only exists already/);
  assert.deepEqual(
    allLogFormats().map(({ name }) => name),
    ['json', 'haproxy', 'combined', 'text', 'status-only'],
  );
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-format-'));
  const output = path.join(folder, 'access.log');
  const yaml = (format: string): string => `listeners: [{ name: web, bind: ":8080" }]
routes: [{ respond: { status: 204 } }]
accessLog: { format: ${format}, output: ${output} }
`;
  const loaded = load(yaml('{ name: status-only, prefix: "was" }'));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { accessLog } = compile(loaded.config, newTables({ endpoints: 1, upstreams: 1, listeners: 1 }), 1);
  assert.deepEqual(accessLog, { format: 'status-only', settings: { prefix: 'was' }, output, filter: null });
  const troubles: LogTrouble[] = [];
  const log = new AccessLog({ timers: new FakeClock(), onTrouble: (trouble) => troubles.push(trouble) });
  log.update(accessLog);
  log.exchangeEnded(recordOf({ status: 200, requestId: 'a\nforged line \u001b[2J' }));
  log.exchangeEnded(recordOf({ status: 500 }));
  log.flushNow();
  assert.equal(fs.readFileSync(output, 'utf8'), 'was 200 a\\u000aforged line \\u001b[2J\n');
  assert.deepEqual(
    troubles.map(({ code, droppedLines }) => [code, droppedLines]),
    [['FORMAT', 1]],
  );
  log.update(null);
  fs.rmSync(folder, { recursive: true });
  const unknown = load(yaml('none-such'));
  assert.ok(!unknown.ok);
});
