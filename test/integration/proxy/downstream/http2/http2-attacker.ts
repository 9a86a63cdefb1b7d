// Plays an attack on a listener. As a worker thread it plays the named one again and again, each time on a new connection,
// until it gets null. Thread: both.

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { FRAME } from '../../../../support/http2-frames.ts';
import { errorCodeOf, Http2Probe } from '../../../../support/http2-probe.ts';
import { patientMs } from '../../../../support/patience.ts';
import { type Attack, ATTACKS } from './http2-attacks.ts';

const LIMIT_MS = patientMs(10_000);
const REPEATED_LIMIT_MS = 200;

/** Sends an attack until the connection is refused. @returns the code of GOAWAY, or -1 */
export async function playAttack(port: number, attack: Attack, limitMs = LIMIT_MS): Promise<number> {
  const probe = await Http2Probe.handshake({ port, isTls: true });
  let stream = -1;
  const next = (): number => (stream += 2);
  try {
    for (let count = 0; count < attack.writes && !probe.isClosed; count += 1) {
      await probe.write(...attack.write(next));
    }
    for (;;) {
      const event = await probe.next(limitMs);
      if (event === 'closed' || event === 'timeout') return -1;
      if (event.type === FRAME.goaway) return errorCodeOf(event);
    }
  } finally {
    probe.close();
  }
}

let current: string | null = null;

async function playOn(port: number, attack: Attack): Promise<void> {
  parentPort!.postMessage('playing');
  // On a machine that is too slow for an attack, its connection is closed without GOAWAY.
  while (current === attack.name) await playAttack(port, attack, REPEATED_LIMIT_MS).catch(() => undefined);
  parentPort!.postMessage('stopped');
}

if (!isMainThread) {
  parentPort!.on('message', (name: string | null) => {
    current = name;
    const attack = ATTACKS.find((one) => one.name === name);
    if (attack !== undefined) void playOn(workerData as number, attack);
  });
}
