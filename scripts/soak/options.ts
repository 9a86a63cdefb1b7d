// Options of the soak. Thread: main.

import { parseArgs } from 'node:util';

export const HELP = `npm run soak -- [--minutes 10 | --seconds N] [--path fast|general] [--clients 32] [--pause 30] [--workers 2] [--seed 1]
Sends mixed traffic through Fairlead, over TCP and TLS: small and large responses, posts, chunks both ways, pipelining,
hand-offs, and clients that leave in the head, in the body and in the response. Ends with 1 where a request that should
succeed fails, where heap, resident memory or file descriptors grow after the warm-up (from a minute on), or where
something is left open at the end.

  --path NAME     fast (default) or general
  --clients N     connections that are used at a time; half of them speak TLS
  --pause MS      mean pause of each client between two of its acts`;

export interface SoakOptions {
  readonly seconds: number;
  readonly isFast: boolean;
  readonly clients: number;
  readonly pauseMs: number;
  readonly workers: number;
  readonly seed: number;
}

/** Returns null for --help. @throws Error with a message for the user */
export function readOptions(args: readonly string[]): SoakOptions | null {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help === true) return null;
  if (values.path !== 'fast' && values.path !== 'general') throw new Error('--path: fast or general');
  const seconds =
    values.seconds === undefined ? 60 * whole('--minutes', values.minutes) : whole('--seconds', values.seconds);
  return {
    seconds,
    isFast: values.path === 'fast',
    clients: whole('--clients', values.clients),
    pauseMs: whole('--pause', values.pause),
    workers: whole('--workers', values.workers),
    seed: whole('--seed', values.seed),
  };
}

const OPTIONS = {
  minutes: { type: 'string', default: '10' },
  seconds: { type: 'string' },
  path: { type: 'string', default: 'fast' },
  clients: { type: 'string', default: '32' },
  pause: { type: 'string', default: '30' },
  workers: { type: 'string', default: '2' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean' },
} as const;

function whole(option: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${option}: ${text} is not a whole number above zero`);
  return Number(text);
}
