// Replays a corpus of HTTP/1.1 requests over HTTP/2, and compares what reaches the endpoint with the corpus's verdicts.
// Thread: main.

import { readFileSync } from 'node:fs';
import { DEFAULT_MAX_FRAME_BYTES } from '../../proxy/http2/frame-format.ts';
import { fieldSection, FLAG, FRAME, frame } from '../../test/support/http2-frames.ts';
import { Http2Probe } from '../../test/support/http2-probe.ts';
import type { ReceivedRequest } from '../../test/support/request-reader.ts';
import { ScriptedOrigin } from '../../test/support/scripted-origin.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { type Http2Message, http2MessageOf } from './http2-message.ts';

interface CorpusCase {
  readonly id: string;
  readonly bytes_base64: string;
  readonly body_b64?: string;
  readonly verdict: 'accept' | 'reject' | 'either';
  readonly why: string;
}

/** SMUGGLED is never acceptable; ACCEPTED and REFUSED differ from the verdict and have to be argued. */
export type Outcome = 'SAME' | 'SMUGGLED' | 'ALTERED' | 'ACCEPTED' | 'REFUSED' | 'INEXPRESSIBLE';

export interface Replayed {
  readonly id: string;
  readonly verdict: string;
  readonly outcome: Outcome;
  /** The reason of the corpus's verdict, or why HTTP/2 can't express the case. */
  readonly why: string;
}

const LIMIT_MS = 10_000;

function configuration(ports: { web: number; admin: number }, originPort: number, fastPath: boolean): string {
  return `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}", http2: true }]
routes: [{ upstream: origin }]
upstreams: { origin: { endpoints: ["http://127.0.0.1:${originPort}"], health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } } } }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`;
}

/** @param file of cases, one a line */
export async function replayOverHttp2(file: string, fastPath: boolean): Promise<Replayed[]> {
  const origin = await ScriptedOrigin.listen();
  const fairlead = await FairleadProcess.start((ports) => configuration(ports, origin.port, fastPath));
  const port = Number(new URL(fairlead.url).port);
  const replayed: Replayed[] = [];
  try {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      replayed.push(await replay(JSON.parse(line) as CorpusCase, port, origin));
    }
  } finally {
    await fairlead.stop('SIGKILL');
    await origin.close();
  }
  return replayed;
}

async function replay(given: CorpusCase, port: number, origin: ScriptedOrigin): Promise<Replayed> {
  const { id, verdict, why } = given;
  const message = http2MessageOf(Buffer.from(given.bytes_base64, 'base64'), verdict === 'accept');
  if (typeof message === 'string') return { id, verdict, outcome: 'INEXPRESSIBLE', why: message };
  const from = origin.requests.length;
  await send(port, framesOf(message));
  await send(port, framesOf(CANARY));
  const requests = origin.requests.slice(from).filter(({ requestLine }) => requestLine !== 'GET /canary HTTP/1.1');
  const hasCanary = origin.requests.length - from === requests.length + 1;
  const outcome = hasCanary ? judge(given, message, requests) : 'SMUGGLED';
  return { id, verdict, outcome, why };
}

const CANARY: Http2Message = {
  fields: [':method', 'GET', ':scheme', 'http', ':authority', 'a.test', ':path', '/canary'],
  body: Buffer.alloc(0),
  trailers: [],
};

function judge(given: CorpusCase, message: Http2Message, requests: readonly ReceivedRequest[]): Outcome {
  const [request] = requests;
  if (requests.length > 1) return 'SMUGGLED';
  // A request whose body is wrong may have begun: it must not be whole.
  const isServed = request?.isComplete === true;
  if (given.verdict === 'either') return 'SAME';
  if (given.verdict === 'reject') return isServed ? 'ACCEPTED' : 'SAME';
  if (!isServed) return 'REFUSED';
  const at = message.fields.indexOf(':path');
  const line = `${message.fields[1]} ${message.fields[at + 1]} HTTP/1.1`;
  const isSame = request.requestLine === line && request.body.equals(message.body);
  return isSame ? 'SAME' : 'ALTERED';
}

function framesOf({ fields, body, trailers }: Http2Message): Buffer[] {
  const hasBody = body.length > 0;
  const frames = headerFrames(fields, !hasBody && trailers.length === 0);
  for (let at = 0; at < body.length; at += DEFAULT_MAX_FRAME_BYTES) {
    const isLast = at + DEFAULT_MAX_FRAME_BYTES >= body.length && trailers.length === 0;
    frames.push(frame(FRAME.data, isLast ? FLAG.endStream : 0, 1, body.subarray(at, at + DEFAULT_MAX_FRAME_BYTES)));
  }
  if (trailers.length > 0) frames.push(...headerFrames(trailers, true));
  return frames;
}

function headerFrames(fields: readonly string[], isLast: boolean): Buffer[] {
  const block = fieldSection(fields);
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += DEFAULT_MAX_FRAME_BYTES) {
    const isEnd = at + DEFAULT_MAX_FRAME_BYTES >= block.length;
    const flags = (isEnd ? FLAG.endHeaders : 0) | (at === 0 && isLast ? FLAG.endStream : 0);
    frames.push(
      frame(at === 0 ? FRAME.headers : FRAME.continuation, flags, 1, block.subarray(at, at + DEFAULT_MAX_FRAME_BYTES)),
    );
  }
  return frames;
}

/** Sends one request on a connection of its own, and waits for the end of its stream. */
async function send(port: number, frames: readonly Buffer[]): Promise<void> {
  const probe = await Http2Probe.handshake({ port, isTls: false });
  probe.send(...frames);
  for (;;) {
    const event = await probe.next(LIMIT_MS);
    if (event === 'timeout') throw new Error('a request was neither served nor refused');
    if (event === 'closed') break;
    if (event.type === FRAME.rstStream) break;
    const isMessage = event.type === FRAME.data || event.type === FRAME.headers;
    if (isMessage && (event.flags & FLAG.endStream) !== 0) break;
  }
  probe.close();
}
