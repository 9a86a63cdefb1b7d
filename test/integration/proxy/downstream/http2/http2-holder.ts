// A client that holds connections open, each with the same frames: what it makes the listener hold is measured by its parent,
// whose heap is another one. Thread: worker.

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { fieldSection, FLAG, FRAME, frame } from '../../../../support/http2-frames.ts';
import { patientMs } from '../../../../support/patience.ts';
import { Http2Probe, settingsFrame, windowUpdateFrame } from '../../../../support/http2-probe.ts';

/** Streams of one connection. */
export const STREAMS = 32;
const BODY_BYTES = 65_535;
const FRAME_BYTES = 16_384;
const INITIAL_WINDOW_SIZE = 4;
const LIMIT_MS = patientMs(10_000);

const PSEUDO = [':method', 'POST', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];
const POST = fieldSection(PSEUDO);
const ids = Array.from({ length: STREAMS }, (_, index) => 1 + 2 * index);
const upload = (id: number, block = POST): Buffer => frame(FRAME.headers, FLAG.endHeaders, id, block);
const data = (id: number, size: number): Buffer => frame(FRAME.data, 0, id, Buffer.alloc(size));

/** A literal that enters the dynamic table; each reference to it is one byte, and stands for a hundred. */
const REFERENCES = 60;
const BOMB = Buffer.concat([
  Buffer.from([0x40, 1]),
  Buffer.from('n'),
  Buffer.from([100]),
  Buffer.from('v'.repeat(100)),
]);

const UNENDED = 'a header block without an end';

/** Frames that a connection sends, and then holds, by the name of the attack. */
const HOLDINGS = {
  idle: () => [],
  [UNENDED]: () => {
    const part = fieldSection(['x', 'y'.repeat(7000)]);
    const more = Array.from({ length: 8 }, () => frame(FRAME.continuation, 0, 1, part));
    return [frame(FRAME.headers, 0, 1, Buffer.concat([POST, part])), ...more];
  },
  'header lists from the dynamic table': () =>
    ids.map((id) => upload(id, Buffer.concat([POST, BOMB, Buffer.alloc(REFERENCES, 0xbe)]))),
  'streams that never end': () => ids.map((id) => upload(id)),
  'bodies that no endpoint reads': () =>
    ids.flatMap((id) => [
      upload(id),
      ...Array.from({ length: 3 }, () => data(id, FRAME_BYTES)),
      data(id, BODY_BYTES - 3 * FRAME_BYTES),
    ]),
  'bodies of one byte each frame': () =>
    ids.flatMap((id) => [upload(id), ...Array.from({ length: 200 }, () => data(id, 1))]),
  'large responses and windows of zero': () => [
    settingsFrame([INITIAL_WINDOW_SIZE, 0]),
    ...ids.map((id) => upload(id)),
  ],
  'large responses and windows of one byte': () => [
    settingsFrame([INITIAL_WINDOW_SIZE, 0]),
    ...ids.flatMap((id) => [upload(id), windowUpdateFrame(id, 1)]),
  ],
} as const satisfies Readonly<Record<string, () => readonly Buffer[]>>;

export type HoldingName = keyof typeof HOLDINGS;
export const HOLDING_NAMES = Object.keys(HOLDINGS) as readonly HoldingName[];

interface Order {
  readonly name: HoldingName;
  readonly connections: number;
}

/** Opens the connections and sends their frames. */
async function hold(port: number, { name, connections }: Order): Promise<Http2Probe[]> {
  const open = async (): Promise<Http2Probe> => Http2Probe.handshake({ port, isTls: false });
  const probes = await Promise.all(Array.from({ length: connections }, open));
  for (const probe of probes) await probe.write(...HOLDINGS[name]());
  // No other frame may come within a header block: a later connection shows that the bytes of the earlier ones were read.
  if (name === UNENDED) probes.push(await open());
  await Promise.all((name === UNENDED ? probes.slice(-1) : probes).map(pinged));
  return probes;
}

/** Resolves once the listener has read everything that was sent. */
async function pinged(probe: Http2Probe): Promise<void> {
  probe.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
  for (;;) {
    const event = await probe.next(LIMIT_MS);
    if (typeof event === 'string') throw new Error(`the connection is not held: ${event}`);
    if (event.type === FRAME.goaway) throw new Error('the connection was closed');
    if (event.type === FRAME.ping) return;
  }
}

if (parentPort !== null) {
  const port = parentPort;
  for (;;) {
    const [order] = (await once(port, 'message')) as [Order];
    const probes = await hold(workerData as number, order);
    port.postMessage('held');
    await once(port, 'message');
    for (const probe of probes) probe.close();
  }
}
