// A reverse proxy as users of http-proxy-3 write it, with a keep-alive agent. Runs as a separate process.
// Usage: node http-proxy-3-server.ts PORT ORIGIN_PORT [CERT KEY]. Thread: main.

import { readFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createProxyServer } from 'http-proxy-3';

const [port, originPort, cert, key] = process.argv.slice(2);

const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
const proxy = createProxyServer({ target: `http://127.0.0.1:${originPort}`, agent });
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502).end();
  else response.destroy();
});

const serve: RequestListener = (request, response) => {
  proxy.web(request, response);
};
const server =
  cert === undefined || key === undefined
    ? createServer(serve)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), ALPNProtocols: ['http/1.1'] }, serve);
server.keepAliveTimeout = 75_000;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
