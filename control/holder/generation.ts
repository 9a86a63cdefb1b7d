// One generation as its holder sees it: a process that is started with sockets, comes up or fails, and ends.
// Thread: main.

import { type ChildProcess, spawn } from 'node:child_process';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import type { SocketHandover } from './held-sockets.ts';
import { type MessageToGeneration, type MessageToHolder, SOCKETS_VARIABLE } from './holder-messages.ts';

/** How a generation is started: program, arguments, and variables on top of the holder's. */
export interface GenerationCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a start came to. `exitCode` is what the process ended with, where it ended by itself. */
export type StartOutcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'needs'; readonly needs: readonly SocketNeed[] }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number | null };

export interface GenerationEvents {
  upgradeAsked(generation: Generation): void;
  released(keys: readonly string[]): void;
}

export class Generation {
  /** Resolves when the process has ended, with its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Resolves once, with the first thing that is known of the start. */
  readonly started: Promise<StartOutcome>;
  readonly #child: ChildProcess;
  #settle: (outcome: StartOutcome) => void = () => undefined;
  #failure: string | null = null;

  constructor(command: GenerationCommand, socketHandover: SocketHandover, events: GenerationEvents) {
    this.started = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#child = spawn(command.program, command.args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...socketHandover.descriptors],
      env: { ...withoutActivation(command.environment), [SOCKETS_VARIABLE]: JSON.stringify(socketHandover.table) },
      // A terminal's Ctrl-C goes to the whole group: the holder hears it, and hands it on.
      detached: true,
    });
    this.#child.on('message', (message) => this.#heard(message as MessageToHolder, events));
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        const how = signal === null ? `it ended with exit code ${code}` : `signal ${signal} ended it`;
        this.#settle({ kind: 'failed', message: this.#failure ?? how, exitCode: code });
        resolve(code);
      });
      this.#child.on('error', (error) => {
        this.#settle({ kind: 'failed', message: `it can't be started: ${error.message}`, exitCode: null });
        if (this.#child.pid === undefined) resolve(null);
      });
    });
  }

  /** 0 where there is no process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(message: MessageToGeneration): void {
    // Where it is gone already, its end says more than a failure to write.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #heard(message: MessageToHolder, events: GenerationEvents): void {
    switch (message.kind) {
      case 'ready':
        this.#settle({ kind: 'ready' });
        break;
      case 'needs':
        this.#settle({ kind: 'needs', needs: message.needs });
        break;
      case 'failed':
        this.#failure = message.message;
        break;
      case 'upgrade':
        events.upgradeAsked(this);
        break;
      case 'release':
        events.released(message.keys);
        break;
      default:
      // A newer version may say more than this one knows.
    }
  }
}

/** The variables of socket activation are meant for the holder. */
function withoutActivation(environment: GenerationCommand['environment']): Record<string, string | undefined> {
  const { LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...others } = environment;
  return others;
}
