// A Content-Length with many leading zeros was accepted on one path and refused on the other. It is valid (RFC 9110 section
// 8.6), and forwarded without the zeros, which some parsers read as octal. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OnePath } from '../support/both-paths.ts';
import { fin, send } from '../support/scripted-origin.ts';

const PADDED = '0'.repeat(25);
const POST = (length: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\nhello`;

for (const fastPath of [true, false]) {
  test(`fastPath ${fastPath}: requests and responses with a padded length pass`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    path.answerWith(send(`HTTP/1.1 200 OK\r\nContent-Length: ${PADDED}2\r\n\r\nok`), fin());
    const { requests, responses } = await path.play(POST(`${PADDED}5`));
    assert.deepEqual([requests[0]!.body, responses[0]!.status, responses[0]!.body], ['hello', 200, 'ok']);
    for (const fields of [requests[0]!.fields, responses[0]!.fields]) {
      assert.match(fields.find((line) => line.startsWith('content-length: '))!, /: [25]$/);
    }
  });

  test(`fastPath ${fastPath}: a length beyond a safe integer is refused`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    const { requests, responses } = await path.play(POST(`${PADDED}1${'0'.repeat(16)}`));
    assert.deepEqual([requests.length, responses[0]!.status], [0, 400]);
  });
}
