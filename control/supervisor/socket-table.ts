// Sockets that this process inherits from systemd (sd_listen_fds(3)), or as plain descriptors that the configuration
// names. Thread: main.

import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { BindError } from './bind-error.ts';
import { keyOfAdmin, keyOfListener, type SocketTable } from './inherited-sockets.ts';

/** The first descriptor that systemd passes (SD_LISTEN_FDS_START). */
const FIRST_DESCRIPTOR = 3;
/** A higher count is no activation. */
const MAX_DESCRIPTORS = 4096;

type Environment = Readonly<Record<string, string | undefined>>;

/** A descriptor that systemd passed. */
export interface PassedSocket {
  readonly fd: number;
  readonly name: string;
}

/**
 * The sockets that the variables of socket activation name; none where they are meant for another process.
 * Source: sd_listen_fds_with_names(3). A descriptor without a name is called `unknown`.
 */
export function passedSockets(environment: Environment, pid: number = process.pid): readonly PassedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = environment;
  if (LISTEN_PID !== String(pid) || LISTEN_FDS === undefined || !/^\d{1,4}$/.test(LISTEN_FDS)) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Math.min(Number(LISTEN_FDS), MAX_DESCRIPTORS) }, (_, index) => ({
    fd: FIRST_DESCRIPTOR + index,
    name: names[index] === undefined || names[index] === '' ? 'unknown' : names[index],
  }));
}

/** The sockets of an `fd:` address: one, or all that have the name. */
export function socketsNamed(passed: readonly PassedSocket[], fd: number | string): readonly (readonly number[])[] {
  return passed.filter((socket) => socket.fd === fd || socket.name === fd).map((socket) => [socket.fd]);
}

/**
 * The socket table of a process without a holder: the sockets of its `fd:` listeners. A number that systemd didn't pass
 * is a descriptor that the process was started with.
 * @throws BindError for a name that no socket has
 */
export function tableOfActivation(snapshot: Snapshot, environment: Environment, pid?: number): SocketTable {
  const passed = passedSockets(environment, pid);
  const table: Record<string, readonly (readonly number[])[]> = {};
  const bound = snapshot.listeners.map(({ name, bind }) => ({ name, bind, key: keyOfListener({ name, bind }) }));
  const { admin } = snapshot;
  if (admin !== null) bound.push({ name: 'admin', bind: admin.bind, key: keyOfAdmin(admin.bind) });
  for (const { name, bind, key } of bound) {
    if (bind.kind !== 'fd') continue;
    const sockets = socketsNamed(passed, bind.fd);
    if (sockets.length > 0) table[key] = sockets;
    else if (typeof bind.fd === 'number') table[key] = [[bind.fd]];
    else throw new BindError(name, `fd:${bind.fd}`, notPassedMessage(passed));
  }
  return table;
}

/** Explains why there is no socket of a name. */
export function notPassedMessage(passed: readonly PassedSocket[]): string {
  if (passed.length === 0)
    return 'no socket was passed to this process (LISTEN_FDS); systemd passes those of a .socket unit';
  return `no socket of this name was passed; there are ${passed.map(({ name, fd }) => `${name} (fd:${fd})`).join(', ')}`;
}
