// Demo app: answers after 5 to 50 ms, now and then slowly or with an error, and logs the trace of each error. Thread: main.

import { createServer } from 'node:http';

const { NAME = 'app', PORT = '3000' } = process.env;
const SLOW_SHARE = 0.01;
const ERROR_SHARE = 0.005;

const server = createServer((request, response) => {
  request.resume();
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  const isSlow = Math.random() < SLOW_SHARE;
  const status = Math.random() < ERROR_SHARE ? 500 : 200;
  const trace = String(request.headers['traceparent'] ?? 'none');
  if (status === 500) console.log(`${NAME}: ${request.method} ${request.url}: 500, traceparent ${trace}`);
  setTimeout(
    () => response.writeHead(status, { 'content-type': 'text/plain' }).end(`hello from ${NAME}\n`),
    isSlow ? 1000 : 5 + Math.random() * 45,
  );
});
server.keepAliveTimeout = 60_000;
server.listen(Number(PORT), () => console.log(`${NAME} listens on port ${server.address().port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
