// Requests over HTTP/2 that HTTP/1.1 would read as two, or as one for another host or path: none reaches an endpoint in such
// a form (request smuggling by downgrade). On both paths. Thread: main.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFairlead } from '../../../../support/fairlead.ts';
import { fieldSection, FLAG, FRAME, frame } from '../../../../support/http2-frames.ts';
import { Http2Probe } from '../../../../support/http2-probe.ts';
import { patientMs } from '../../../../support/patience.ts';
import type { ReceivedRequest } from '../../../../support/request-reader.ts';
import { Http2Origin, type Http2Request } from '../../../../support/http2-origin.ts';
import { ScriptedOrigin } from '../../../../support/scripted-origin.ts';

const CERTIFICATES = join(import.meta.dirname, '../../../../unit/config/certificates');
const LIMIT_MS = patientMs(10_000);
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nhost: b.test\r\n\r\n';

type Fields = readonly string[];

interface Downgrade {
  readonly name: string;
  readonly fields: Fields;
  /** Of the DATA frame that follows; undefined where HEADERS end the stream. */
  readonly body?: string;
  readonly trailers?: Fields;
}

/** A request with values replaced and fields added. */
function fieldsOf(changes: Readonly<Record<string, string>>, ...more: readonly string[]): Fields {
  const all = { ':method': 'POST', ':scheme': 'https', ':authority': 'a.test', ':path': '/first', ...changes };
  return [...Object.entries(all).flat(), ...more];
}

const BREAKS = ['\r\n', '\n', '\r', '\0', '\r\n\r\n'];

const CASES: readonly Downgrade[] = [
  ...BREAKS.flatMap((end) => {
    const shown = JSON.stringify(end);
    const tail = `${end}transfer-encoding: chunked${end}${end}${SMUGGLED}`;
    return [
      { name: `${shown} in a value`, fields: fieldsOf({}, 'x', `a${tail}`) },
      { name: `${shown} at the end of a value`, fields: fieldsOf({}, 'x', `a${end}`) },
      { name: `${shown} in a name`, fields: fieldsOf({}, `x: a${tail}y`, 'b') },
      { name: `${shown} in :path`, fields: fieldsOf({ ':path': `/first HTTP/1.1${end}host: b.test${tail}` }) },
      { name: `${shown} in :method`, fields: fieldsOf({ ':method': `GET /smuggled HTTP/1.1${end}x: y${tail}GET` }) },
      { name: `${shown} in :authority`, fields: fieldsOf({ ':authority': `a.test${tail}` }) },
      { name: `${shown} in :scheme`, fields: fieldsOf({ ':scheme': `https${tail}` }) },
      { name: `${shown} in a cookie`, fields: fieldsOf({}, 'cookie', `a=1${tail}`, 'cookie', 'b=2') },
      { name: `${shown} in Host`, fields: fieldsOf({}, 'host', `a.test${tail}`) },
      { name: `${shown} in trailers`, fields: fieldsOf({}), body: 'x', trailers: ['x', `a${tail}`] },
    ];
  }),
  { name: 'a colon in a name', fields: fieldsOf({}, 'transfer-encoding:', 'chunked'), body: SMUGGLED },
  { name: 'a blank after a name', fields: fieldsOf({}, 'transfer-encoding ', 'chunked'), body: SMUGGLED },
  { name: 'a blank in a name', fields: fieldsOf({}, 'x y', 'a') },
  { name: 'an upper-case Transfer-Encoding', fields: fieldsOf({}, 'Transfer-Encoding', 'chunked'), body: SMUGGLED },
  { name: 'Transfer-Encoding', fields: fieldsOf({}, 'transfer-encoding', 'chunked'), body: `0\r\n\r\n${SMUGGLED}` },
  {
    name: 'Transfer-Encoding and Content-Length',
    fields: fieldsOf({}, 'content-length', '5', 'transfer-encoding', 'chunked'),
    body: `0\r\n\r\n${SMUGGLED}`,
  },
  { name: 'Content-Length of 0 with DATA', fields: fieldsOf({}, 'content-length', '0'), body: SMUGGLED },
  { name: 'a Content-Length shorter than DATA', fields: fieldsOf({}, 'content-length', '3'), body: `abc${SMUGGLED}` },
  { name: 'a Content-Length longer than DATA', fields: fieldsOf({}, 'content-length', '99'), body: 'abc' },
  { name: 'two Content-Lengths', fields: fieldsOf({}, 'content-length', '3', 'content-length', '0'), body: 'abc' },
  { name: 'a list of Content-Lengths', fields: fieldsOf({}, 'content-length', '3, 3'), body: 'abc' },
  { name: 'a signed Content-Length', fields: fieldsOf({}, 'content-length', '+3'), body: 'abc' },
  { name: 'a hexadecimal Content-Length', fields: fieldsOf({}, 'content-length', '0x3'), body: 'abc' },
  {
    name: 'Connection that nominates Content-Length',
    fields: fieldsOf({}, 'connection', 'content-length'),
    body: 'abc',
  },
  { name: 'Upgrade', fields: fieldsOf({}, 'upgrade', 'h2c') },
  { name: 'an absolute :path', fields: fieldsOf({ ':path': 'http://b.test/smuggled' }) },
  { name: ':path with a fragment', fields: fieldsOf({ ':path': '/first#/smuggled' }) },
  { name: ':path with a blank', fields: fieldsOf({ ':path': '/first HTTP/1.1 /smuggled' }) },
  { name: ':path without a slash', fields: fieldsOf({ ':path': 'smuggled' }) },
  { name: 'two :path', fields: [...fieldsOf({}), ':path', '/smuggled'] },
  { name: 'two :method', fields: [...fieldsOf({}), ':method', 'GET'] },
  { name: ':path after a field', fields: ['x', 'y', ...fieldsOf({ ':path': '/smuggled' })] },
  { name: ':authority with a user', fields: fieldsOf({ ':authority': 'a.test@b.test' }) },
  { name: ':authority with a path', fields: fieldsOf({ ':authority': 'a.test/smuggled' }) },
  { name: 'another Host', fields: fieldsOf({}, 'host', 'b.test') },
  { name: 'two Hosts', fields: fieldsOf({}, 'host', 'a.test', 'host', 'b.test') },
  { name: 'CONNECT', fields: [':method', 'CONNECT', ':authority', 'b.test:80'], body: SMUGGLED },
  { name: 'Content-Length in trailers', fields: fieldsOf({}), body: 'x', trailers: ['content-length', '999'] },
  {
    name: 'Transfer-Encoding in trailers',
    fields: fieldsOf({}),
    body: 'x',
    trailers: ['transfer-encoding', 'chunked'],
  },
  { name: 'chunks in DATA', fields: fieldsOf({}), body: `0\r\n\r\n${SMUGGLED}` },
];

function framesOf({ fields, body, trailers }: Downgrade): Buffer[] {
  const isLast = body === undefined;
  const frames = [frame(FRAME.headers, FLAG.endHeaders | (isLast ? FLAG.endStream : 0), 1, fieldSection(fields))];
  if (body !== undefined) {
    frames.push(frame(FRAME.data, trailers === undefined ? FLAG.endStream : 0, 1, Buffer.from(body, 'latin1')));
  }
  if (trailers !== undefined) {
    frames.push(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, fieldSection(trailers)));
  }
  return frames;
}

/** Sends a case, then an honest request on the same connection or a new one, and waits for its response. */
async function play(port: number, downgrade: Downgrade): Promise<void> {
  const address = { port, isTls: true };
  const probe = await Http2Probe.handshake(address);
  probe.send(...framesOf(downgrade));
  await untilStreamEnds(probe, 1);
  probe.close();
  const honest = await Http2Probe.handshake(address);
  const block = fieldSection(fieldsOf({ ':method': 'GET', ':path': '/honest' }));
  honest.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, block));
  assert.equal(await untilStreamEnds(honest, 1), 'ended');
  honest.close();
}

async function untilStreamEnds(probe: Http2Probe, stream: number): Promise<'ended' | 'reset'> {
  for (;;) {
    const event = await probe.next(LIMIT_MS);
    if (event === 'closed') return 'reset';
    assert.notEqual(event, 'timeout', 'the request is neither served nor refused');
    if (typeof event === 'string' || event.stream !== stream) continue;
    if (event.type === FRAME.rstStream) return 'reset';
    const isMessage = event.type === FRAME.data || event.type === FRAME.headers;
    if (isMessage && (event.flags & FLAG.endStream) !== 0) return 'ended';
  }
}

/** No other request than the first one, whole, and the honest one. */
function check(requests: readonly ReceivedRequest[]): void {
  const lines = requests.map(({ requestLine }) => requestLine);
  const others = requests.filter(({ requestLine }) => requestLine !== 'GET /honest HTTP/1.1');
  assert.equal(lines.length - others.length, 1, lines.join(', '));
  assert.ok(others.length <= 1, lines.join(', '));
  for (const { requestLine, lines: fields } of others) {
    assert.equal(requestLine, 'POST /first HTTP/1.1');
    assert.equal(fields.filter((field) => /^host:/i.test(field)).length, 1);
    assert.ok(
      fields.every((field) => !/smuggled|b\.test|[\r\n\0]/.test(field)),
      fields.join('|'),
    );
  }
}

/** An HTTP/2 endpoint gets the same requests in the fields of HTTP/2: none may be more than one, or break its rules. */
function checkHttp2(requests: readonly Http2Request[]): void {
  const paths = requests.map(({ fields }) => fields[fields.indexOf(':path') + 1]);
  const others = requests.filter((_, at) => paths[at] !== '/honest');
  assert.equal(paths.length - others.length, 1, paths.join(', '));
  assert.ok(others.length <= 1, paths.join(', '));
  for (const { fields, trailers } of others) {
    const pseudo = ':method POST :scheme http :authority a.test :path /first';
    assert.equal(fields.slice(0, 8).join(' '), pseudo);
    const regular: readonly string[] = [...fields.slice(8), ...(trailers ?? [])];
    for (let at = 0; at < regular.length; at += 2) {
      assert.match(regular[at]!, /^[a-z0-9-]+$/);
      assert.doesNotMatch(regular[at + 1]!, /smuggled|b\.test|[\r\n\0]/);
      assert.ok(!['transfer-encoding', 'connection', 'upgrade', 'host'].includes(regular[at]!), regular[at]!);
    }
  }
}

const LISTENERS = `
workers: 1
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls: { certificates: [{ cert: ${CERTIFICATES}/api.example.com.pem, key: ${CERTIFICATES}/api.example.com.key }] }
routes: [{ upstream: app }]
`;

for (const fastPath of [true, false]) {
  test(`requests that HTTP/1.1 would read differently, fastPath: ${fastPath}`, async (t) => {
    const origin = await ScriptedOrigin.listen();
    t.after(() => origin.close());
    const { port } = await startFairlead(
      t,
      `
fastPath: ${fastPath}${LISTENERS}
upstreams: { app: { endpoints: ["http://127.0.0.1:${origin.port}"] } }
`,
    );
    for (const downgrade of CASES) {
      await t.test(downgrade.name, async () => {
        const from = origin.requests.length;
        await play(port, downgrade);
        check(origin.requests.slice(from));
      });
    }
  });
}

test('requests that HTTP/1.1 would read differently, to an HTTP/2 endpoint', async (t) => {
  const origin = await Http2Origin.listen();
  t.after(() => origin.close());
  origin.onRequest = ({ connection, stream }) => connection.headers(stream, [':status', '204'], true);
  const upstream = `{ endpoints: ["http://127.0.0.1:${origin.port}"], protocol: http2, health: { heartbeat: false } }`;
  const { port } = await startFairlead(t, `${LISTENERS}upstreams: { app: ${upstream} }\n`);
  for (const downgrade of CASES) {
    await t.test(downgrade.name, async () => {
      const from = origin.requests.length;
      await play(port, downgrade);
      checkHttp2(origin.requests.slice(from));
    });
  }
});
