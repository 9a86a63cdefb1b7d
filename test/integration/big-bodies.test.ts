// A large body in either direction is streamed, never buffered. Fairlead runs in a separate process, whose resident memory
// is observed. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { FairleadProcess } from '../../scripts/peers/fairlead-process.ts';
import { shortOrLong } from '../support/test-length.ts';
import { PATHS } from '../support/fairlead.ts';

/** Many times what may be held in memory. */
const BODY_BYTES = shortOrLong(192, 1024) * 1024 ** 2;
const PIECE = Buffer.alloc(256 * 1024, 'x');
/** Maximum growth of memory. */
const MOST_GROWTH_BYTES = 96 * 1024 ** 2;

/** An origin that discards bodies and reports their size, or sends as many bytes as requested. */
async function startOrigin(t: TestContext): Promise<number> {
  const origin = createServer((incoming, response) => {
    if (incoming.method === 'POST') {
      let sizeBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
      });
      incoming.on('end', () => response.end(String(sizeBytes)));
      return;
    }
    pour(
      Number(incoming.url!.slice(1)),
      (piece) => response.write(piece),
      response,
      () => response.end(),
    );
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => origin.close());
  return (origin.address() as AddressInfo).port;
}

/** Writes `sizeBytes` at the sink's pace. */
function pour(sizeBytes: number, write: (piece: Buffer) => boolean, sink: NodeJS.EventEmitter, done: () => void): void {
  let left = sizeBytes;
  const more = (): void => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!write(piece) && left > 0) {
        sink.once('drain', more);
        return;
      }
    }
    done();
  };
  more();
}

async function startProxy(t: TestContext, originPort: number, fastPath: boolean): Promise<FairleadProcess> {
  const fairlead = await FairleadProcess.start(
    (ports) => `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${originPort}"] } }
admin: { bind: "127.0.0.1:${ports.admin}" }
`,
  );
  t.after(() => fairlead.stop('SIGKILL'));
  return fairlead;
}

/** Observes resident memory while `work` runs. Returns its maximum growth. */
async function growthDuring(fairlead: FairleadProcess, work: () => Promise<void>): Promise<number> {
  const before = await fairlead.residentBytes();
  let most = before;
  const watch = setInterval(() => {
    void fairlead.residentBytes().then((now) => {
      most = Math.max(most, now);
    });
  }, 50);
  await work();
  clearInterval(watch);
  return Math.max(most, await fairlead.residentBytes()) - before;
}

async function download(url: string, sizeBytes: number): Promise<void> {
  const sent = request(`${url}/${sizeBytes}`).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(response, 'end');
  assert.equal(received, sizeBytes);
}

async function upload(url: string, sizeBytes: number): Promise<void> {
  const sent = request(url, { method: 'POST' });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  pour(
    sizeBytes,
    (piece) => sent.write(piece),
    sent,
    () => sent.end(),
  );
  const [response] = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  assert.equal(Number(text), sizeBytes);
}

for (const fastPath of PATHS) {
  describe(`${BODY_BYTES / 1024 ** 2} MiB, fastPath: ${fastPath}`, () => {
    for (const [direction, carry] of [
      ['down', download],
      ['up', upload],
    ] as const) {
      test(`${direction} costs less than 96 MiB`, async (t) => {
        const fairlead = await startProxy(t, await startOrigin(t), fastPath);
        await carry(fairlead.url, BODY_BYTES / 16);
        const grown = await growthDuring(fairlead, () => carry(fairlead.url, BODY_BYTES));
        t.diagnostic(`resident memory grew by ${Math.round(grown / 1024 ** 2)} MiB at the most`);
        assert.ok(grown < MOST_GROWTH_BYTES, `resident memory grew by ${Math.round(grown / 1024 ** 2)} MiB`);
      });
    }
  });
}
