// Assignment of inherited sockets to workers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BindAddress, ListenerSnapshot } from '../../../../core/snapshot/listener.ts';
import { InheritedSockets, keyOfListener } from '../../../../control/supervisor/inherited-sockets.ts';

function listener(name: string, bind: BindAddress): ListenerSnapshot {
  return { name, bind } as ListenerSnapshot;
}

const web = listener('web', { kind: 'tcp', host: '127.0.0.1', port: 80 });
const KEY = '127.0.0.1:80';

describe('inherited sockets', () => {
  test('are assigned one to each worker where there are as many', () => {
    const sockets = new InheritedSockets({
      [KEY]: [
        [3, 5],
        [4, 6],
      ],
    });
    const { given, isShort } = sockets.cover([web], [0, 1]);
    assert.deepEqual(
      [...given],
      [
        [0, { web: [5] }],
        [1, { web: [6] }],
      ],
    );
    assert.equal(isShort, false);
  });

  test('more than workers: workers get several, so that each socket has an acceptor', () => {
    const sockets = new InheritedSockets({ [KEY]: [[3], [4], [5]] });
    const { given } = sockets.cover([web], [0, 1]);
    assert.deepEqual(
      [...given],
      [
        [0, { web: [3, 5] }],
        [1, { web: [4] }],
      ],
    );
  });

  test('fewer than workers: workers share one by descriptors of their own', () => {
    const sockets = new InheritedSockets({ [KEY]: [[3, 4, 5]] });
    const { given } = sockets.cover([web], [0, 1]);
    assert.deepEqual(
      [...given],
      [
        [0, { web: [5] }],
        [1, { web: [4] }],
      ],
    );
  });

  test('a worker without one binds nothing, and no socket is lost', () => {
    const sockets = new InheritedSockets({ [KEY]: [[3]] });
    const { given, isShort } = sockets.cover([web], [0, 1]);
    assert.deepEqual(
      [...given],
      [
        [0, { web: [3] }],
        [1, { web: [] }],
      ],
    );
    assert.equal(isShort, false);
  });

  test('the successor of a dead worker gets another descriptor of the same socket, until none is left', () => {
    const sockets = new InheritedSockets({
      [KEY]: [
        [3, 5],
        [4, 6],
      ],
    });
    sockets.cover([web], [0, 1]);
    sockets.workerGone(1);
    const again = sockets.cover([web], [1, 0]);
    assert.deepEqual(
      [...again.given],
      [
        [1, { web: [4] }],
        [0, { web: [] }],
      ],
    );
    sockets.workerGone(1);
    assert.equal(sockets.cover([web], [1, 0]).isShort, true);
  });

  test('the socket of a dismissed worker is assigned to those that stay', () => {
    const sockets = new InheritedSockets({
      [KEY]: [
        [3, 5],
        [4, 6],
      ],
    });
    sockets.cover([web], [0, 1]);
    assert.deepEqual([...sockets.cover([web], [0]).given], [[0, { web: [4] }]]);
    sockets.workerGone(1);
    assert.deepEqual([...sockets.cover([web], [0]).given], [[0, { web: [] }]]);
  });

  test('are renamed to the port that the system has chosen', () => {
    const anyPort = listener('web', { kind: 'tcp', host: '127.0.0.1', port: 0 });
    const sockets = new InheritedSockets({ '127.0.0.1:0 web': [[3, 4]] });
    sockets.cover([anyPort], [0]);
    sockets.rename(keyOfListener(anyPort), KEY);
    sockets.workerGone(0);
    assert.deepEqual([...sockets.cover([web], [0]).given], [[0, { web: [3] }]]);
    assert.deepEqual(sockets.retain([]), ['127.0.0.1:0 web'], 'given back under the name that they were given by');
  });

  test('of removed listeners are closed; that of main is not', () => {
    const closed: number[] = [];
    const sockets = new InheritedSockets({ 'admin :1': [[9]], [KEY]: [[3, 4]], 'unix:/x': [[5]] }, (fd) =>
      closed.push(fd),
    );
    assert.equal(sockets.take('admin :1'), 9);
    assert.deepEqual(sockets.retain([web]), ['unix:/x']);
    assert.deepEqual(closed, [5]);
    assert.equal(sockets.take('admin :1'), null);
  });
});
