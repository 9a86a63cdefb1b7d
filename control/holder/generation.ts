// One generation as its holder sees it: a process that is started with sockets, becomes ready or fails, and exits.
// Thread: main.

import { type ChildProcess, spawn } from 'node:child_process';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import type { PassedDescriptors } from './held-sockets.ts';
import { type MessageToGeneration, type MessageToHolder, SOCKETS_VARIABLE } from './holder-messages.ts';

/** Program, arguments and environment of a generation. */
export interface GenerationCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Outcome of a start. `exitCode` is null where the process did not exit by itself. */
export type StartOutcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'needs'; readonly needs: readonly SocketNeed[] }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number | null };

export interface GenerationEvents {
  /** The generation requests that the next one replace it. */
  onUpgradeRequest(generation: Generation): void;
  /** The generation no longer uses the sockets with these keys. */
  onRelease(keys: readonly string[]): void;
}

export class Generation {
  /** Resolves with the exit code when the process has exited; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Resolves with the outcome of the start. */
  readonly started: Promise<StartOutcome>;
  readonly #child: ChildProcess;
  #settle: (outcome: StartOutcome) => void = () => undefined;
  #failure: string | null = null;

  constructor(command: GenerationCommand, passed: PassedDescriptors, events: GenerationEvents) {
    this.started = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#child = spawn(command.program, command.args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...passed.descriptors],
      env: { ...withoutActivation(command.environment), [SOCKETS_VARIABLE]: JSON.stringify(passed.table) },
      // Ctrl-C in a terminal signals the whole process group: only the holder must get it, which forwards it.
      detached: true,
    });
    this.#child.on('message', (message) => this.#onMessage(message as MessageToHolder, events));
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
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

  send(message: MessageToGeneration): void {
    // Where the process has exited, its exit is reported, and an error of the channel adds nothing.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onMessage(message: MessageToHolder, events: GenerationEvents): void {
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
        events.onUpgradeRequest(this);
        break;
      case 'release':
        events.onRelease(message.keys);
        break;
      default:
      // A newer version may send kinds of messages that this one doesn't know.
    }
  }
}

/** Removes the variables of socket activation, which are meant for the holder. */
function withoutActivation(environment: GenerationCommand['environment']): Record<string, string | undefined> {
  const { LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...others } = environment;
  return others;
}
