// A cluster of real Consul servers on loopback, for tests. Thread: main.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import { eventually } from './fairlead.ts';

export class ConsulCluster {
  readonly #program: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'fairlead-consul-'));
  readonly #ports: (readonly number[])[] = [];
  readonly #children = new Map<number, ChildProcess>();

  private constructor(t: TestContext, program: string) {
    this.#program = program;
    t.after(() => {
      for (const at of this.#children.keys()) this.kill(at);
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
    });
  }

  /** Starts servers that elect a leader. */
  static async start(t: TestContext, program: string, size: number): Promise<ConsulCluster> {
    const cluster = new ConsulCluster(t, program);
    for (let at = 0; at < size; at++) {
      cluster.#ports.push([await freePort(), await freePort(), await freePort()]);
    }
    for (let at = 0; at < size; at++) cluster.launch(at);
    await cluster.untilLeader();
    return cluster;
  }

  /** The API of the first server. */
  get url(): string {
    return `http://127.0.0.1:${this.#ports[0]![0]}`;
  }

  /** Starts a server, also again after it was killed: its data are kept. */
  launch(at: number): void {
    const [http, serf, server] = this.#ports[at]!;
    const settings = {
      server: true,
      bootstrap_expect: this.#ports.length,
      bind_addr: '127.0.0.1',
      node_name: `server-${at}`,
      data_dir: path.join(this.#folder, String(at)),
      ports: { http, serf_lan: serf, server, serf_wan: -1, dns: -1, grpc: -1 },
      retry_join: this.#ports.map(([, other]) => `127.0.0.1:${other}`),
      retry_interval: '200ms',
      rejoin_after_leave: true,
      disable_update_check: true,
      performance: { raft_multiplier: 1 },
    };
    const args = ['agent', '-hcl', JSON.stringify(settings)];
    this.#children.set(at, spawn(this.#program, args, { cwd: this.#folder, stdio: 'ignore' }));
  }

  kill(at: number): void {
    this.#children.get(at)?.kill('SIGKILL');
  }

  async hasLeader(): Promise<boolean> {
    const answer = await fetch(`${this.url}/v1/status/leader`).catch(() => null);
    return answer !== null && answer.ok && (await answer.text()).length > 2;
  }

  untilLeader(): Promise<void> {
    return eventually(() => this.hasLeader(), 'Consul has a leader');
  }

  async put(name: string, body: unknown = ''): Promise<void> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${this.url}/v1/${name}`, { method: 'PUT', body: text });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
  }
}
