// Asks the admin API of a Fairlead that runs, over loopback or a Unix socket. Thread: main.

import http from 'node:http';
import { formatBindAddress, parseBindAddress } from '../../config/bind-address.ts';
import type { BindAddress } from '../../core/snapshot.ts';

/** An answer takes milliseconds; who waits longer waits in vain. */
const TIMEOUT_MS = 5_000;
/** More is no answer of the admin API, but something else at its address. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The address makes no sense. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** Nobody answers there, or somebody who isn't Fairlead. The message says where, why, and what to look at. */
class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON; an object. */
  readonly body: object;
}

/** What is to be done instead of being told. */
export interface AdminChange {
  readonly body: object;
  /** How long it may take. */
  readonly timeoutMs?: number;
}

/**
 * GET `path` from the admin API, or POST a change to it.
 * @param address `host:port`, `:port` or `unix:/path`
 * @throws AddressError, UnreachableError
 */
export async function askAdmin(address: string, path: string, change?: AdminChange): Promise<AdminAnswer> {
  const where = addressOf(address);
  const name = formatBindAddress(where);
  const { status, text } = await send(where, path, change).catch((error: unknown) => {
    const advice = 'does Fairlead run, and does its configuration have `admin` with this address?';
    throw new UnreachableError(`the admin API at ${name} can't be reached: ${wordsOf(error)}; ${advice}`);
  });
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return { status, body };
  } catch {
    // What is no JSON is told the same way as JSON that is no object.
  }
  throw new UnreachableError(
    `what answers at ${name} is not the admin API of Fairlead: it sent ${status} without JSON`,
  );
}

function addressOf(text: string): Exclude<BindAddress, { kind: 'fd' }> {
  const parsed = parseBindAddress(text);
  if (!parsed.ok) throw new AddressError(parsed.message);
  const { value } = parsed;
  if (value.kind === 'fd')
    throw new AddressError(`"${text}" is a descriptor of another process: write host:port or unix:/path`);
  const isAnywhere = value.kind === 'tcp' && (value.host === '' || value.host === '0.0.0.0');
  return isAnywhere ? { ...value, host: '127.0.0.1' } : value;
}

function send(
  where: Exclude<BindAddress, { kind: 'fd' }>,
  path: string,
  change: AdminChange | undefined,
): Promise<{ status: number; text: string }> {
  const to = where.kind === 'unix' ? { socketPath: where.path } : { host: where.host, port: where.port };
  const signal = AbortSignal.timeout(change?.timeoutMs ?? TIMEOUT_MS);
  const asked = change === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...to, ...asked, path, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_ANSWER_BYTES) response.destroy(new Error('its answer has no end'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(change === undefined ? undefined : JSON.stringify(change.body));
  });
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOENT') return 'there is no such socket';
  return error.message === '' ? (code ?? error.name) : error.message;
}
