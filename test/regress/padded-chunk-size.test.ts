// A chunk size with many leading zeros was accepted on one path and refused on the other; in a response it cut the client.
// It is valid (RFC 9112 section 7.1). Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OnePath } from '../support/both-paths.ts';
import { send } from '../support/scripted-origin.ts';

const PADDING = '0'.repeat(25);
const HEAD = 'Transfer-Encoding: chunked\r\n\r\n';
const POST = (body: string) => `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${HEAD}${body}`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

for (const fastPath of [true, false]) {
  test(`fastPath ${fastPath}: requests and responses with padded chunk sizes pass`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    path.answerWith(send(`HTTP/1.1 200 OK\r\n${HEAD}${PADDING}2\r\nok\r\n${PADDING}0\r\n\r\n`));
    const { requests, responses } = await path.play(POST(`${PADDING}5\r\nhello\r\n${PADDING}\r\n\r\n`));
    assert.deepEqual([requests[0]!.body, responses[0]!.status, responses[0]!.body], ['hello', 200, 'ok']);
  });

  test(`fastPath ${fastPath}: a padded chunk size beyond a safe integer is refused`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    path.answerWith(send(OK));
    const { requests, responses } = await path.play(POST(`${PADDING}1${'0'.repeat(16)}5\r\nhello\r\n0\r\n\r\n`));
    assert.deepEqual([requests.length, responses[0]?.status], [0, 400]);
  });
}
