// Probes of one address of a name, as a CA validates it: HTTP-01 with redirects, and TLS-ALPN-01. Thread: main.

import { lookup } from 'node:dns';
import { isIPv6, type LookupFunction } from 'node:net';
import { connect } from 'node:tls';
import { Agent, type Dispatcher, request } from 'undici';
import { ALPN_CHALLENGE_PROTOCOL, HTTP_CHALLENGE_PATH } from '../../net/acme-challenges.ts';

const TIMEOUT_MS = 10_000;
/** Redirects that Let's Encrypt follows. */
const MOST_REDIRECTS = 10;
/** The answer is short; a web page is not read to its end. */
const LARGEST_ANSWER_BYTES = 4096;
const LONGEST_SHOWN = 200;

export interface ProbeTarget {
  readonly name: string;
  readonly address: string;
  /** Port of the first connection. */
  readonly port: number;
  /** Ports to which CAs follow redirects. */
  readonly ports: readonly number[];
}

/** `own`: this installation answers; `foreign`: another server does; `unreachable`: none does. `detail` is its reason. */
export interface ProbeOutcome {
  readonly kind: 'own' | 'foreign' | 'unreachable';
  readonly target: ProbeTarget;
  readonly detail: string;
}

/** Requests the answer of a token. Never throws. */
export async function probeHttp(target: ProbeTarget, token: string, expected: string): Promise<ProbeOutcome> {
  const agent = new Agent({
    allowH2: false,
    // Certificates of redirects to https aren't verified: CAs don't verify them either.
    connect: { lookup: pinned(target), rejectUnauthorized: false, timeout: TIMEOUT_MS },
    maxResponseSize: LARGEST_ANSWER_BYTES,
  });
  try {
    const detail = await foreignAnswer(agent, target, token, expected);
    return { kind: detail === '' ? 'own' : 'foreign', target, detail };
  } catch (error) {
    const isAnswer = (error as Error).name === 'HTTPParserError';
    return { kind: isAnswer ? 'foreign' : 'unreachable', target, detail: reasonOf(error as Error) };
  } finally {
    await agent.destroy();
  }
}

/** @returns '' for the expected answer, otherwise the answer there was @throws where there was none */
async function foreignAnswer(agent: Agent, target: ProbeTarget, token: string, expected: string): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let url = new URL(`http://${target.name}:${target.port}${HTTP_CHALLENGE_PATH}${token}`);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const reply = await request(url, { dispatcher: agent, signal });
    const { location } = reply.headers;
    if (reply.statusCode < 300 || reply.statusCode > 399 || typeof location !== 'string') {
      const text = await textOf(reply);
      return reply.statusCode === 200 && text === expected ? '' : `it answers the challenge with ${shownReply(reply)}`;
    }
    await reply.body.dump();
    const next = URL.parse(location, url);
    if (next === null || !isFollowed(next, target)) return `it redirects to ${location.slice(0, LONGEST_SHOWN)}`;
    url = next;
  }
  return `it redirects more than ${MOST_REDIRECTS} times`;
}

/** An answer that is too large is not the expected one. */
async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  return (await body.text().catch(() => '')).trim();
}

/** Status and Server field: an operator recognizes the server by them. */
function shownReply({ statusCode, headers }: Dispatcher.ResponseData): string {
  const { server } = headers;
  return typeof server === 'string' ? `${statusCode} (Server: ${server.slice(0, LONGEST_SHOWN)})` : `${statusCode}`;
}

/** CAs follow redirects to the ports of HTTP and HTTPS alone. */
function isFollowed({ protocol, port }: URL, { ports }: ProbeTarget): boolean {
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  const defaultPort = protocol === 'http:' ? 80 : 443;
  return ports.includes(port === '' ? defaultPort : Number(port));
}

/** Resolves the name to the address of the probe, and the names of redirects as usual. */
function pinned({ name, address }: ProbeTarget): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (host, options, done) => {
    if (host !== name) lookup(host, options, done);
    else if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** Dials with `acme-tls/1`. @param fingerprint SHA-256 of the certificate of the challenge. Never throws. */
export function probeAlpn(target: ProbeTarget, fingerprint: string): Promise<ProbeOutcome> {
  const { name, address, port } = target;
  const protocols = [ALPN_CHALLENGE_PROTOCOL];
  return new Promise((resolve) => {
    let failure: ProbeOutcome['kind'] = 'unreachable';
    const options = { host: address, port, servername: name, ALPNProtocols: protocols, rejectUnauthorized: false };
    const socket = connect(options);
    const end = (kind: ProbeOutcome['kind'], detail: string): void => {
      clearTimeout(timer);
      resolve({ kind, target, detail });
      socket.destroy();
    };
    const fail = (reason: string): void => {
      end(failure, failure === 'foreign' ? `its handshake for acme-tls/1 fails: ${reason}` : reason);
    };
    const timer = setTimeout(() => fail(`no answer within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
    socket.once('connect', () => (failure = 'foreign'));
    socket.on('error', (error) => fail(reasonOf(error)));
    socket.once('secureConnect', () => {
      const isOwn = socket.getPeerX509Certificate()?.fingerprint256 === fingerprint;
      end(isOwn ? 'own' : 'foreign', isOwn ? '' : 'it answers acme-tls/1 with another certificate');
    });
  });
}

function reasonOf(error: Error & { code?: string; cause?: unknown }): string {
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const text = error.message === '' ? (error.code ?? error.name) : error.message;
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_SHOWN);
}
