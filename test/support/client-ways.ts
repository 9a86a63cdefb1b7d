// Requests of one client on each way to an exchange: the HTTP/1.1 engine, node:http, and HTTP/2 over TLS. Thread: main.

import { writeFileSync } from 'node:fs';
import { request as http1Request } from 'node:http';
import { connect } from 'node:http2';
import type { Readable } from 'node:stream';
import { testCertificate } from './certificates.ts';
import { endWithTest } from './http2-session.ts';

export const CLIENT_WAYS = ['engine', 'node:http', 'HTTP/2'] as const;
export type ClientWay = (typeof CLIENT_WAYS)[number];

export interface Received {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Readable;
}

export type Send = (target: string, headers?: Record<string, string>, method?: string) => Promise<Received>;

/** Keys of the listener for a way, to follow others in a flow mapping. @param folder for the certificate */
export function tlsOf(way: ClientWay, folder: string): string {
  if (way !== 'HTTP/2') return '';
  const { cert, key } = testCertificate(['a.test']);
  writeFileSync(`${folder}/cert.pem`, cert);
  writeFileSync(`${folder}/key.pem`, key);
  return `, tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }`;
}

/** Each request has a connection of its own. */
export function sendOver(way: ClientWay, port: number, t: { after(run: () => unknown): void }): Send {
  return way === 'HTTP/2' ? overHttp2(port, t) : overHttp1(port);
}

function overHttp1(port: number): Send {
  return (target, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      http1Request({ port, host: '127.0.0.1', path: target, method, headers, agent: false }, (response) =>
        resolve({ status: response.statusCode!, headers: response.headers, body: response }),
      )
        .on('error', reject)
        .end();
    });
}

function overHttp2(port: number, t: { after(run: () => unknown): void }): Send {
  return (target, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      endWithTest(t, session);
      const stream = session.request({ ':path': target, ':method': method, ':authority': 'a.test', ...headers });
      stream.on('error', reject);
      stream.on('response', (fields) => resolve({ status: fields[':status']!, headers: fields, body: stream }));
      stream.end();
    });
}
