// Pebble, the test CA of Let's Encrypt, with its DNS server, which resolves every name to 127.0.0.1. Thread: main.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { freePorts } from '../../scripts/peers/free-port.ts';
import { testCertificate } from './certificates.ts';
import { patientMs } from './patience.ts';

const START_MS = patientMs(10_000);

/** Settings that make Pebble difficult or easy: see its README. */
export type PebbleChaos = Readonly<Partial<Record<`PEBBLE_${string}`, string>>>;

export interface PebbleOptions {
  /** Ports to which it sends validation requests. */
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly chaos?: PebbleChaos;
  /** Keys of external accounts by their id; without them none is required. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
}

export class Pebble {
  readonly #directory = mkdtempSync(join(tmpdir(), 'fairlead-pebble-'));
  readonly #children: ChildProcess[] = [];
  readonly #agent = new Agent({ connect: { rejectUnauthorized: false } });
  readonly #options: PebbleOptions;
  #ports: readonly number[] = [];

  private constructor(options: PebbleOptions) {
    this.#options = options;
  }

  static async start(options: PebbleOptions): Promise<Pebble> {
    const pebble = new Pebble(options);
    pebble.#ports = await freePorts(4);
    pebble.#startDns();
    await pebble.restart(options.chaos ?? {});
    return pebble;
  }

  /** URL of its directory. */
  get directory(): string {
    return `https://127.0.0.1:${this.#ports[0]}/dir`;
  }

  /** File with the certificate of its own TLS. */
  get trustedFile(): string {
    return join(this.#directory, 'pebble.pem');
  }

  /** Starts it again with other settings; it forgets all accounts and certificates. */
  async restart(chaos: PebbleChaos, externalAccounts = this.#options.externalAccounts): Promise<void> {
    const old = this.#children[1];
    if (old !== undefined) {
      old.kill('SIGKILL');
      await new Promise((resolve) => old.once('exit', resolve));
    }
    const environment = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0', ...chaos };
    const dns = `127.0.0.1:${this.#ports[2]}`;
    const args = ['-config', this.#writeConfig(externalAccounts), '-dnsserver', dns, '-strict'];
    this.#children[1] = spawn('pebble', args, { stdio: 'ignore', env: { ...process.env, ...environment } });
    await this.#untilAnswering();
  }

  /** Its root certificate in PEM. */
  async root(): Promise<string> {
    const reply = await request(`https://127.0.0.1:${this.#ports[1]}/roots/0`, { dispatcher: this.#agent });
    return await reply.body.text();
  }

  /** Preflight that sees what its validation sees. */
  get preflight(): { resolvers: string[]; httpPort: number; tlsPort: number } {
    const { httpPort, tlsPort } = this.#options;
    return { resolvers: [`127.0.0.1:${this.#ports[2]}`], httpPort, tlsPort };
  }

  /** URL of the commands of its DNS server. */
  get dnsUrl(): string {
    return `http://127.0.0.1:${this.#ports[3]}`;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#agent.destroy();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #startDns(): void {
    const [, , dns, management] = this.#ports;
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''];
    const args = ['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${management}`, ...off];
    this.#children[0] = spawn('pebble-challtestsrv', args, { stdio: 'ignore' });
  }

  #writeConfig(externalAccounts: PebbleOptions['externalAccounts']): string {
    const { httpPort, tlsPort } = this.#options;
    const { cert, key } = testCertificate(['pebble.test']);
    const file = (name: string, text: string): string => {
      writeFileSync(join(this.#directory, name), text);
      return join(this.#directory, name);
    };
    const pebble = {
      listenAddress: `127.0.0.1:${this.#ports[0]}`,
      managementListenAddress: `127.0.0.1:${this.#ports[1]}`,
      certificate: file('pebble.pem', cert),
      privateKey: file('pebble.key', key),
      httpPort,
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: externalAccounts !== undefined,
      externalAccountMACKeys: externalAccounts ?? {},
    };
    return file('pebble.json', JSON.stringify({ pebble }));
  }

  async #untilAnswering(): Promise<void> {
    const deadlineMs = performance.now() + START_MS;
    for (;;) {
      try {
        await this.root();
        return;
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
