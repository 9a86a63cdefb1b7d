// With fastPath: false, an HTTP/2 response of known length that its endpoint cut ended with END_STREAM, as a whole one does: only
// clients that compare Content-Length noticed. It ends with RST_STREAM (RFC 9113 section 8.1.1). Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../proxy/http2/error-code.ts';
import { FLAG, FRAME, requestFrame } from '../support/http2-frames.ts';
import { errorCodeOf, Http2Probe } from '../support/http2-probe.ts';
import { patientMs } from '../support/patience.ts';
import { fin, ScriptedOrigin, send } from '../support/scripted-origin.ts';
import { shareFairlead } from '../support/shared-fairlead.ts';

const LIMIT_MS = patientMs(10_000);
const HEAD = 'HTTP/1.1 200 OK\r\n';

/** The last frame of stream 1: the code of RST_STREAM, or that it ended like a whole response. */
async function endOfStream(port: number): Promise<number | 'END_STREAM'> {
  const probe = await Http2Probe.handshake({ port, isTls: false });
  try {
    probe.send(requestFrame(1, [], true));
    for (;;) {
      const event = await probe.next(LIMIT_MS);
      if (typeof event === 'string') throw new Error(`${event} before the end of the response`);
      if (event.stream !== 1) continue;
      if (event.type === FRAME.rstStream) return errorCodeOf(event);
      if ((event.flags & FLAG.endStream) !== 0) return 'END_STREAM';
    }
  } finally {
    probe.close();
  }
}

for (const fastPath of [true, false]) {
  for (const [name, response, end] of [
    ['whole, of known length', `${HEAD}Content-Length: 2\r\n\r\nok`, 'END_STREAM'],
    ['cut, of known length', `${HEAD}Content-Length: 9\r\n\r\nok`, ErrorCode.INTERNAL_ERROR],
    ['cut before its first byte', `${HEAD}Content-Length: 9\r\n\r\n`, ErrorCode.INTERNAL_ERROR],
    ['cut, in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n`, ErrorCode.INTERNAL_ERROR],
  ] as const) {
    test(`fastPath ${fastPath}: the end of a response that is ${name}`, async (t) => {
      const origin = await ScriptedOrigin.listen();
      t.after(() => origin.close());
      origin.otherwise = [send(response), fin()];
      const { port } = await shareFairlead(
        `cut responses, fastPath: ${fastPath}`,
        `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${origin.port}"]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
`,
      );
      assert.equal(await endOfStream(port), end);
    });
  }
}
