// Ways to replace one Fairlead process by the next. Thread: main.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type Running, startLogged } from './running.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const ENTRY = path.join(ROOT, 'bin/fairlead.ts');
const MIGRATE = '/proc/sys/net/ipv4/tcp_migrate_req';
/** LISTEN_PID must be the pid of the process itself; a shell knows its pid before it executes that process. */
const AS_ITSELF = 'LISTEN_PID=$$ exec "$0" "$@"';

export interface Setting {
  readonly port: number;
  readonly workers: number;
  /** Writes the configuration and returns its path. */
  readonly configure: (bind: string) => string;
}

/** One way: starts the first process, replaces it `swaps` times, ends the last one. */
export interface Way {
  readonly name: string;
  readonly means: string;
  start(setting: Setting): Promise<void>;
  swap(): Promise<void>;
  end(): Promise<void>;
  /** Why it cannot run on this machine; null if it can. */
  readonly impossible?: () => string | null;
}

function run(args: readonly string[]): Running {
  return startLogged(spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'ignore', 'pipe'] }));
}

function runWith(sockets: readonly net.BoundSocket[], file: string): Running {
  const env = {
    ...process.env,
    LISTEN_FDS: String(sockets.length),
    LISTEN_FDNAMES: sockets.map(() => 'web').join(':'),
  };
  const args = ['-c', AS_ITSELF, process.execPath, ENTRY, 'run', '--config', file];
  const stdio = ['ignore', 'ignore', 'pipe', ...sockets.map((socket) => socket.fd())] as const;
  return startLogged(spawn('/bin/sh', args, { env, stdio: [...stdio] }));
}

function bind({ port, workers }: Setting): net.BoundSocket[] {
  return Array.from({ length: workers }, () => new net.BoundSocket({ host: '127.0.0.1', port, reusePort: true }));
}

/** TERM, wait, start: a restart without anything that keeps the sockets. */
export function plainClose(): Way {
  let running: Running;
  let file = '';
  return {
    name: 'plain close',
    means: 'TERM, wait for the end, start again',
    start: async (setting) => {
      file = setting.configure(`127.0.0.1:${setting.port}`);
      running = run(['run', '--config', file]);
      await running.ready(1);
    },
    swap: async () => {
      await running.terminate();
      running = run(['run', '--config', file]);
      await running.ready(1);
    },
    end: () => running.terminate(),
  };
}

/** Two processes with their own sockets on one port. Fairlead refuses that by itself but accepts inherited sockets. */
export function overlap(): Way {
  let running: Running;
  let setting: Setting;
  let file = '';
  const startNext = async (): Promise<Running> => {
    const sockets = bind(setting);
    const next = runWith(sockets, file);
    for (const socket of sockets) socket.close();
    await next.ready(1);
    return next;
  };
  return {
    name: 'overlap by SO_REUSEPORT',
    means: 'the next process binds sockets of its own on the same port; then TERM to the one before',
    start: async (given) => {
      setting = given;
      file = setting.configure('fd:web');
      running = await startNext();
    },
    swap: async () => {
      const next = await startNext();
      await running.terminate();
      running = next;
    },
    end: () => running.terminate(),
  };
}

/** The same, with the kernel migrating connections from a closed queue to an open one. */
export function migrating(): Way {
  const way = overlap();
  const before = existsSync(MIGRATE) ? readFileSync(MIGRATE, 'utf8') : '';
  const impossible = (): string | null => {
    try {
      writeFileSync(MIGRATE, '1');
      writeFileSync(MIGRATE, before);
      return null;
    } catch (error) {
      return `net.ipv4.tcp_migrate_req can't be set: ${(error as NodeJS.ErrnoException).code}`;
    }
  };
  return {
    ...way,
    name: 'overlap, tcp_migrate_req=1',
    means: 'the same with net.ipv4.tcp_migrate_req=1 (needs root; set back afterwards)',
    impossible,
    start: async (setting) => {
      writeFileSync(MIGRATE, '1');
      process.once('exit', () => writeFileSync(MIGRATE, before));
      await way.start(setting);
    },
    end: async () => {
      await way.end();
      writeFileSync(MIGRATE, before);
    },
  };
}

/** `systemctl restart` of a unit with a socket: stop, start; the sockets stay open. */
export function activation(): Way {
  let running: Running;
  let sockets: net.BoundSocket[] = [];
  let file = '';
  return {
    name: 'socket activation',
    means: 'TERM, wait for the end, start again with the same sockets',
    start: async (setting) => {
      file = setting.configure('fd:web');
      sockets = bind(setting);
      running = runWith(sockets, file);
      await running.ready(1);
    },
    swap: async () => {
      await running.terminate();
      running = runWith(sockets, file);
      await running.ready(1);
    },
    end: async () => {
      await running.terminate();
      for (const socket of sockets) socket.close();
    },
  };
}

/** `fairlead upgrade`. */
export function holder(): Way {
  let running: Running;
  let readies = 1;
  return {
    name: 'holder',
    means: '`run --holder`, USR2 (what `upgrade` does)',
    start: async (setting) => {
      running = run(['run', '--holder', '--config', setting.configure(`127.0.0.1:${setting.port}`)]);
      readies = 1;
      await running.ready(readies);
    },
    swap: async () => {
      running.child.kill('SIGUSR2');
      await running.ready(++readies);
      await running.said('ended', readies - 1);
    },
    end: () => running.terminate(),
  };
}

/** Death of a worker, alone or under a holder. Not a takeover, but the yardstick for one. */
export function crash(isHeld: boolean): Way {
  let running: Running;
  let crashes = 0;
  let file = '';
  return {
    name: isHeld ? 'worker crash, holder' : 'worker crash, no holder',
    means: 'one of the workers hangs for 300 ms, dies, and is started again',
    start: async (setting) => {
      file = setting.configure(`127.0.0.1:${setting.port}`);
      const preload = path.join(ROOT, 'test/support/crash-on-file.mjs');
      const env = {
        ...process.env,
        CRASH_FILE: `${file}.crash-`,
        CRASH_HANG_MS: '300',
        NODE_OPTIONS: `--import=${preload}`,
      };
      const args = [ENTRY, 'run', ...(isHeld ? ['--holder'] : []), '--config', file];
      running = startLogged(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env }));
      crashes = 0;
      await running.ready(1);
    },
    swap: async () => {
      writeFileSync(`${file}.crash-0`, '');
      await running.said('worker 0 is back', ++crashes);
    },
    end: () => running.terminate(),
  };
}
