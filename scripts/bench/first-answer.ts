// One request of a case before its load, checked: load generators accept any body and any TLS. Thread: main.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import { createGunzip } from 'node:zlib';
import type { Certificate } from '../peers/self-signed-certificate.ts';
import type { BenchCase } from './cases.ts';

const ANSWER_TIMEOUT_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly tls: string | null;
}

/** Checks status, length and TLS version. @throws Error with a text for the table */
export async function checkAnswer(port: number, benchCase: BenchCase, certificate: Certificate): Promise<void> {
  const ca = benchCase.isTls ? await readFile(certificate.cert) : undefined;
  const { status, bytes, tls } = await (benchCase.http2 === null ? ask : askHttp2)(port, benchCase, ca);
  if (status !== 200 || bytes !== benchCase.answerBytes) {
    throw new Error(`answered ${status} with ${bytes} bytes in place of 200 with ${benchCase.answerBytes}`);
  }
  if (benchCase.isTls && tls !== 'TLSv1.3') throw new Error(`speaks ${tls} in place of TLSv1.3`);
}

/** Sends the case's request once. */
function ask(port: number, benchCase: BenchCase, ca: Buffer | undefined): Promise<Answer> {
  const headers = fieldsOf(benchCase);
  const method = benchCase.postBytes > 0 ? 'POST' : 'GET';
  const target = { host: '127.0.0.1', port, path: benchCase.path, method, headers, agent: false as const };
  return new Promise((resolve, reject) => {
    const request = benchCase.isTls ? httpsRequest({ ...target, ca }) : httpRequest(target);
    request.setTimeout(ANSWER_TIMEOUT_MS, () => request.destroy(new Error('no answer to the first request')));
    request.once('error', reject);
    request.once('response', (response) => {
      const tls = response.socket instanceof TLSSocket ? response.socket.getProtocol() : null;
      const isCoded = response.headers['content-encoding'] === 'gzip';
      if (isCoded !== benchCase.gzipLevel > 0) reject(new Error(isCoded ? 'compresses' : 'does not compress'));
      const body = isCoded ? response.pipe(createGunzip()) : response;
      let bytes = 0;
      body.on('data', (chunk: Buffer) => (bytes += chunk.length));
      body.once('error', reject);
      body.once('end', () => resolve({ status: response.statusCode!, bytes, tls }));
    });
    request.end(Buffer.alloc(benchCase.postBytes, 'x'));
  });
}

/** Over HTTP/2: by ALPN, or with prior knowledge in cleartext. */
async function askHttp2(port: number, benchCase: BenchCase, ca: Buffer | undefined): Promise<Answer> {
  const session = connect(`${benchCase.isTls ? 'https' : 'http'}://127.0.0.1:${port}`, ca === undefined ? {} : { ca });
  try {
    await once(session, 'connect', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const method = benchCase.postBytes > 0 ? 'POST' : 'GET';
    const stream = session.request({ ...fieldsOf(benchCase), ':method': method, ':path': benchCase.path });
    stream.setTimeout(ANSWER_TIMEOUT_MS, () => stream.destroy(new Error('no answer to the first request')));
    // A GET has ended with its head.
    if (benchCase.postBytes > 0) stream.end(Buffer.alloc(benchCase.postBytes, 'x'));
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    const tls = session.socket instanceof TLSSocket ? session.socket.getProtocol() : null;
    return { status: Number(headers[':status']), bytes, tls };
  } finally {
    session.destroy();
  }
}

function fieldsOf({ fields }: BenchCase): Record<string, string> {
  return Object.fromEntries(fields.map((field) => field.split(': ', 2)));
}
