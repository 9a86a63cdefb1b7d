// The access log of a worker on real files: changes of settings, rotation, close. Thread: both.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AccessLog } from '../../../../logging/access/access-log.ts';
import { FORMATS } from '../../../support/log-formats.ts';
import type { LogTrouble } from '../../../../logging/destination/log-trouble.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { recordOf } from '../../../unit/logging/access/sample-record.ts';

let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-access-'));
});
after(() => {
  fs.rmSync(folder, { recursive: true });
});

function open(): { log: AccessLog; troubles: LogTrouble[] } {
  const troubles: LogTrouble[] = [];
  const log = new AccessLog({ timers: new FakeClock(), onTrouble: (trouble) => troubles.push(trouble) });
  return { log, troubles };
}

describe('the access log', () => {
  test('is off before it is configured, and after its configuration is removed', async () => {
    const { log } = open();
    log.exchangeEnded(recordOf());
    const output = path.join(folder, 'off.log');
    log.update({ format: 'haproxy', settings: {}, output });
    log.exchangeEnded(recordOf());
    log.update(null);
    log.exchangeEnded(recordOf());
    await log.close();
    assert.equal(fs.readFileSync(output, 'utf8'), FORMATS.haproxy(recordOf()));
  });

  test('changes its format at once, and its output without losing a line', async () => {
    const { log } = open();
    const [first, second] = [path.join(folder, 'first.log'), path.join(folder, 'second.log')];
    log.update({ format: 'json', settings: {}, output: first });
    log.exchangeEnded(recordOf());
    log.update({ format: 'combined', settings: {}, output: first });
    log.exchangeEnded(recordOf());
    log.update({ format: 'combined', settings: {}, output: second });
    log.exchangeEnded(recordOf());
    log.flushNow();
    await log.close();
    assert.equal(fs.readFileSync(first, 'utf8'), FORMATS.json(recordOf()) + FORMATS.combined(recordOf()));
    assert.equal(fs.readFileSync(second, 'utf8'), FORMATS.combined(recordOf()));
  });

  test('is unchanged when its new output cannot be opened', async () => {
    const { log } = open();
    const output = path.join(folder, 'kept.log');
    log.update({ format: 'combined', settings: {}, output });
    assert.throws(() => log.update({ format: 'json', settings: {}, output: path.join(folder, 'no', 'such.log') }), {
      code: 'ENOENT',
    });
    log.exchangeEnded(recordOf());
    await log.close();
    assert.equal(fs.readFileSync(output, 'utf8'), FORMATS.combined(recordOf()));
  });

  test('continues in a new file after a rotation', async () => {
    const { log, troubles } = open();
    const output = path.join(folder, 'rotated.log');
    log.update({ format: 'combined', settings: {}, output });
    log.exchangeEnded(recordOf({ status: 201 }));
    fs.renameSync(output, `${output}.1`);
    log.reopen();
    log.exchangeEnded(recordOf({ status: 202 }));
    await log.close();
    assert.match(fs.readFileSync(`${output}.1`, 'utf8'), /" 201 .*\n$/);
    assert.match(fs.readFileSync(output, 'utf8'), /^[^\n]*" 202 [^\n]*\n$/);
    assert.deepEqual(troubles, []);
  });
});
