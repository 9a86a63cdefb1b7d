// Replaces the certificate of a running Fairlead again and again while clients connect at a steady rate. Thread: main.

import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { startOrigins } from '../load/origins.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { type Certificate, makeCertificate } from '../peers/self-signed-certificate.ts';

export interface SwapOptions {
  readonly swaps: number;
  /** New connections a second. */
  readonly perSecond: number;
  readonly workers: number;
}

export interface SwapOutcome {
  readonly handshakes: number;
  /** By error code. */
  readonly failures: ReadonlyMap<string, number>;
  readonly seconds: number;
  readonly longestSwapMs: number;
}

/** A swap that is not served by then never will be. */
const LONGEST_SWAP_MS = 15_000;
const TICK_MS = 10;

export async function swapUnderLoad(options: SwapOptions): Promise<SwapOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-swaps-'));
  const pairs = ['a', 'b'].map((name) => {
    mkdirSync(join(folder, name));
    return makeCertificate(join(folder, name));
  });
  install(pairs[0]!, folder);
  const [origin] = await startOrigins(1);
  const fairlead = await start(options.workers, folder, origin!.port);
  const load = new HandshakeLoad(Number(new URL(fairlead.url).port), options.perSecond);
  try {
    const begunMs = performance.now();
    const longestSwapMs = await swap(options.swaps, pairs, { folder, load });
    await load.stop();
    const { handshakes, failures } = load;
    return { handshakes, failures, longestSwapMs, seconds: (performance.now() - begunMs) / 1000 };
  } finally {
    await load.stop();
    await fairlead.stop('SIGKILL');
    await origin!.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface SwapParts {
  readonly folder: string;
  readonly load: HandshakeLoad;
}

/** @returns the longest time in ms from a swap to the first connection that is served the new certificate */
async function swap(swaps: number, pairs: readonly Certificate[], { folder, load }: SwapParts): Promise<number> {
  const fingerprints = pairs.map(({ cert }) => new X509Certificate(readFileSync(cert)).fingerprint256);
  let longestMs = 0;
  for (let done = 0; done < swaps; done++) {
    const next = (done + 1) % 2;
    const begunMs = performance.now();
    install(pairs[next]!, folder);
    // Not merely another one than before: a worker that lags behind may still have served this one.
    while (load.lastFingerprint !== fingerprints[next]) {
      if (performance.now() - begunMs > LONGEST_SWAP_MS) throw new Error('a new certificate was not served in time');
      await pause(TICK_MS);
    }
    longestMs = Math.max(longestMs, Math.round(performance.now() - begunMs));
  }
  return longestMs;
}

/** Certificate first, then its key, as ACME clients do: for a moment they don't match. */
function install({ cert, key }: Certificate, folder: string): void {
  for (const [source, name] of [
    [cert, 'cert.pem'],
    [key, 'key.pem'],
  ] as const) {
    copyFileSync(source, join(folder, `${name}.new`));
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

/** New TLS connections at a steady rate; each is closed after its handshake. */
class HandshakeLoad {
  readonly failures = new Map<string, number>();
  handshakes = 0;
  /** Of the certificate that the newest connection was served. */
  lastFingerprint = '';
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #begun = 0;
  /** Number of the newest connection whose handshake is complete. */
  #newest = 0;
  #open = 0;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#startedMs) / 1000) * perSecond;
      while (this.#begun < due) this.#connect();
    }, TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#open > 0) await pause(TICK_MS);
  }

  #connect(): void {
    const number = ++this.#begun;
    this.#open++;
    const socket = connect({ port: this.#port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    socket.once('secureConnect', () => {
      this.handshakes++;
      if (number > this.#newest) this.lastFingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      this.#newest = Math.max(this.#newest, number);
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const what = error.code ?? error.message;
      this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
    });
    socket.once('close', () => this.#open--);
  }
}

function start(workers: number, folder: string, originPort: number): Promise<FairleadProcess> {
  return FairleadProcess.start(
    (ports) => `
workers: ${workers}
listeners:
  - name: web
    bind: "127.0.0.1:${ports.web}"
    tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:${originPort}"], health: { heartbeat: false } }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`,
  );
}
