// Events of the Docker API (Docker and Podman): which of them end a container's service. Thread: main.

import { parseJson } from '../http/http-client.ts';

/** Signals that end a process which doesn't handle them otherwise, by number and name. */
const ENDING: ReadonlySet<string> = new Set(['2', '3', '9', '15', 'INT', 'QUIT', 'KILL', 'TERM']);
/** The container has stopped, or is paused: it serves nothing. */
const OVER: ReadonlySet<string> = new Set(['stop', 'die', 'died', 'destroy', 'remove', 'pause', 'oom']);
/** Of no interest: they are frequent, and change nothing. */
const IGNORED = /^(?:exec|top|attach|resize|export|copy|archive|commit|cleanup|sync|create|init)/;

/** An event: the container is leaving, it is back, its health was checked, or something else has changed. */
export interface ContainerEvent {
  readonly kind: 'leaving' | 'started' | 'checked' | 'changed';
  /** '' for changes of networks. */
  readonly id: string;
}

/**
 * Reads one event. Docker reports `kill` with the signal when it begins to stop a container, which has its grace period
 * then. Podman names no signal.
 * @param stopSignalOf the stop signal of a container, without SIG; '' for TERM
 */
export function parseEvent(line: string, stopSignalOf: (id: string) => string): ContainerEvent | null {
  const event = (parseJson(line) ?? {}) as {
    readonly Type?: unknown;
    readonly Action?: unknown;
    readonly Actor?: {
      readonly ID?: unknown;
      readonly Attributes?: { readonly signal?: unknown };
    };
  };
  const { Action: action, Actor: actor } = event;
  if (typeof action !== 'string') return null;
  if (event.Type === 'network') return { kind: 'changed', id: '' };
  const id = typeof actor?.ID === 'string' ? actor.ID : '';
  if (action === 'kill') return isEnding(actor?.Attributes?.signal, stopSignalOf(id)) ? { kind: 'leaving', id } : null;
  if (OVER.has(action)) return { kind: 'leaving', id };
  if (action === 'start' || action === 'unpause') return { kind: 'started', id };
  if (action.startsWith('health_status')) return { kind: 'checked', id };
  return IGNORED.test(action) ? null : { kind: 'changed', id };
}

function isEnding(signal: unknown, stopSignal: string): boolean {
  if (typeof signal !== 'string' && typeof signal !== 'number') return true;
  const name = String(signal).replace(/^SIG/, '');
  return ENDING.has(name) || name === stopSignal;
}
