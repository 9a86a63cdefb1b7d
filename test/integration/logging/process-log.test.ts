// The process log of main and of workers. Thread: both.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessageToMain } from '../../../core/messages.ts';
import { type MainLogger, openMainLog, openWorkerLog } from '../../../logging/process-log.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder: string;
let output: string;
let log: MainLogger;
let count = 0;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-process-'));
});
after(() => {
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  output = path.join(folder, `${count++}.log`);
  log = openMainLog({ level: 'info', output, timers: new FakeClock() });
});

function lines(): Record<string, unknown>[] {
  log.flushNow();
  const texts = fs.readFileSync(output, 'utf8').split('\n').slice(0, -1);
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

describe('the log of main', () => {
  test('writes JSON lines with level, time, fields and text', () => {
    log.warn({ endpoint: 'api/10.0.0.1:3000', from: 'up' }, 'endpoint is down');
    const [line] = lines();
    const { time, ...rest } = line!;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, { level: 'warn', endpoint: 'api/10.0.0.1:3000', from: 'up', text: 'endpoint is down' });
  });

  test('writes lines of its level and above, and follows a change of level', () => {
    log.debug({}, 'one');
    log.setLevel('debug');
    log.debug({}, 'two');
    log.setLevel('error');
    log.warn({}, 'three');
    log.error({}, 'four');
    assert.deepEqual(
      lines().map(({ text }) => text),
      ['two', 'four'],
    );
  });

  test('writes an error as an object with its cause', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    log.error({ err: new TypeError('no endpoint', { cause }) }, 'it failed');
    const { type, message, cause: written } = lines()[0]!['err'] as Record<string, Record<string, unknown>>;
    assert.deepEqual([type, message, written!['code']], ['TypeError', 'no endpoint', 'ECONNREFUSED']);
  });

  test('writes fields of any type', () => {
    const round: Record<string, unknown> = {};
    round['self'] = round;
    const odd = { round, big: 1n, nan: Number.NaN, make: () => 1, map: new Map(), bare: Object.create(null) as object };
    log.info({ ...odd, list: [new Error('in a list')], nothing: undefined }, 'odd');
    const [line] = lines();
    assert.deepEqual([line!['big'], line!['nan'], line!['make'], line!['map']], ['bigint', 'NaN', 'function', 'Map']);
    assert.equal(Object.hasOwn(line!, 'nothing'), false);
  });

  test('escapes control characters that a terminal would interpret', () => {
    log.info({ cause: 'a\u001b[2J\nb\u009b2J\u007f\u2028' }, 'text');
    log.flushNow();
    const text = fs.readFileSync(output, 'utf8');
    assert.match(text, /^[ -~]*\n$/);
    assert.equal(lines()[0]!['cause'], 'a\u001b[2J\nb\u009b2J\u007f\u2028');
  });
});

describe('the log of a worker', () => {
  test('is written by main with the number of the worker', () => {
    const { port1, port2 } = new MessageChannel();
    const worker = openWorkerLog(3, 'info', (message) => port1.postMessage(message));
    const socket = { write: () => undefined };
    worker.error({ err: new Error('boom'), socket, status: 502 }, 'an exchange failed');
    worker.debug({}, 'below the level');
    const received = receiveMessageOnPort(port2) as { message: MessageToMain };
    assert.equal(receiveMessageOnPort(port2), undefined);
    assert.ok(received.message.kind === 'log');
    log.write(received.message.level, received.message.fields, received.message.text);
    port1.close();
    const { level, worker: from, status, err, text } = lines()[0]!;
    assert.deepEqual([level, from, status, text], ['error', 3, 502, 'an exchange failed']);
    assert.equal((err as { message: string }).message, 'boom');
  });

  test('posts debug lines while its level is debug, and says so in isDebugEnabled', () => {
    const posted: MessageToMain[] = [];
    const worker = openWorkerLog(0, 'debug', (message) => posted.push(message));
    assert.equal(worker.isDebugEnabled, true);
    worker.debug({ route: 'api' }, 'route chosen');
    worker.setLevel('warn');
    assert.equal(worker.isDebugEnabled, false);
    worker.debug({}, 'below the level');
    worker.info({}, 'below the level');
    worker.warn({}, 'at the level');
    const texts = posted.map((message) => message.kind === 'log' && `${message.level} ${message.text}`);
    assert.deepEqual(texts, ['debug route chosen', 'warn at the level']);
  });
});
