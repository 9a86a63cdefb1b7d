// A program around Fairlead that ends its workers by force while client, TLS and endpoint connections are open, and then
// has nothing left to do. Prints "done" in its last turn. Thread: main.

import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { loadConfigText } from '../../config/load.ts';
import { ControlPlane } from '../../control/control-plane.ts';
import { resetSocket } from '../../net/reset-socket.ts';
import { testCertificate } from '../support/certificates.ts';
import { recordingLog } from '../support/loggers.ts';

const CONNECTIONS = 20;
const REQUEST = 'GET / HTTP/1.1\r\nHost: first.test\r\n\r\n';

const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-embedder-'));
const { cert, key } = testCertificate(['first.test']);
writeFileSync(path.join(folder, 'cert.pem'), cert);
writeFileSync(path.join(folder, 'key.pem'), key);

/** Never answers; resets each connection that the worker's end closes, in the turn that also sends FIN. */
let requests = 0;
const endpoint = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => requests++);
  socket.on('end', () => {
    socket.end();
    resetSocket(socket);
  });
});
endpoint.listen(0, '127.0.0.1');
await once(endpoint, 'listening');
const { port } = endpoint.address() as AddressInfo;

const yaml = `
workers: 2
listeners:
  - { name: plain, bind: "127.0.0.1:0" }
  - { name: secure, bind: "127.0.0.1:0", tls: { certificates: [{ cert: cert.pem, key: key.pem }] } }
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${port}"] } }
`;
const plane = new ControlPlane({
  load: () => loadConfigText(yaml, { file: '(yaml)', directory: folder, environment: {}, wallMs: Date.now() }),
  environment: {},
  version: '0.0.0-test',
  log: recordingLog([]),
});
await plane.start();
rmSync(folder, { recursive: true });

const [plain, secure] = plane.bound;
const open = (): Socket[] => [
  connectTcp(plain!.port, '127.0.0.1'),
  connectTls({ port: secure!.port, host: '127.0.0.1', rejectUnauthorized: false }),
];
const clients = Array.from({ length: CONNECTIONS }, open).flat();
for (const client of clients) client.on('error', () => undefined).write(REQUEST);
while (requests < clients.length) await new Promise((resolve) => setTimeout(resolve, 5));

const ended = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
if (process.argv[2] === 'close') await plane.close();
else {
  await Promise.all([plane.supervisor.killWorker(0), plane.supervisor.killWorker(1)]);
  await plane.close();
}
await Promise.all(ended);
endpoint.close();
await once(endpoint, 'close');
process.stdout.write('done\n');
