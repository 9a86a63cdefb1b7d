// Menu of the demo: keys that break and repair app servers, and lines that say what happens. Pure. Thread: main.

import type { LoadReport } from './app-messages.ts';
import type { App } from './apps.ts';

export type DemoAct = 'kill' | 'freeze' | 'slow' | 'back' | 'drain' | 'ready';

export type DemoStep =
  | { readonly kind: 'select'; readonly index: number }
  | { readonly kind: 'act'; readonly act: DemoAct }
  | { readonly kind: 'canary' }
  | { readonly kind: 'help' }
  | { readonly kind: 'quit' };

const ACTS: Readonly<Record<string, DemoAct>> = {
  k: 'kill',
  s: 'freeze',
  w: 'slow',
  b: 'back',
  d: 'drain',
  r: 'ready',
};

/** Effect of each act, for the user. */
const WORDS: Readonly<Record<DemoAct, string>> = {
  kill: 'killed: its requests go to the others; b brings it back',
  freeze: 'stopped (SIGSTOP): it accepts connections and never answers; b continues it',
  slow: 'slowed down: 500 ms for each response, so it gets fewer requests; b ends that',
  back: 'is back: it gets requests again after two good heartbeats',
  drain: 'drained: it gets no new requests; r returns it to service',
  ready: 'in service again, as its health allows',
};

/** Weights of the canary, one after the other. */
const CANARY_WEIGHTS = [0, 10, 50] as const;

/** Null for a key without a meaning. @param count number of app servers */
export function stepOf(key: string, count: number): DemoStep | null {
  if (/^[1-9]$/.test(key) && Number(key) <= count) return { kind: 'select', index: Number(key) - 1 };
  const act = ACTS[key];
  if (act !== undefined) return { kind: 'act', act };
  if (key === 'c') return { kind: 'canary' };
  if (key === 'h' || key === '?') return { kind: 'help' };
  return key === 'q' || key === '\u0003' ? { kind: 'quit' } : null;
}

export function actText({ name }: App, act: DemoAct): string {
  return `${name} ${WORDS[act]}`;
}

/** Whether an act changes the process, which must run for it. */
export function isOfProcess(act: DemoAct): boolean {
  return act === 'kill' || act === 'freeze' || act === 'slow';
}

/** At most 80 columns, which is a line of a usual terminal. */
export function selectedText({ name }: App, index: number): string {
  return ` >${index + 1} ${name}   k kill  s stop  w slow  b back  d drain  r ready`;
}

export function nextCanaryWeight(weight: number): number {
  const at = CANARY_WEIGHTS.findIndex((one) => one === weight);
  return CANARY_WEIGHTS[(at + 1) % CANARY_WEIGHTS.length]!;
}

export function helpText(apps: readonly App[], selected: number): string {
  const names = apps.map(({ name }, index) => `${index === selected ? '>' : ' '}${index + 1} ${name}`);
  return [
    '  A load sends 50 requests a second. Choose an app server, then press a key:',
    ...names.map((line) => `    ${line}`),
    '    k kill   s stop   w slow down   b bring back   d drain   r ready',
    '    c canary: 10 %, 50 %, none   h help   q quit',
  ].join('\n');
}

/** One line: requests, failures, the slowest, and the shares of the app servers by their numbers in the menu. */
export function loadText({ sent, failed, slowestMs, byApp }: LoadReport, apps: readonly App[]): string {
  const answered = Object.values(byApp).reduce((sum, count) => sum + count, 0);
  const shares = apps.map(({ name }, index) => {
    return `${index + 1}: ${Math.round(((byApp[name] ?? 0) / Math.max(1, answered)) * 100)} %`;
  });
  return `load: ${sent} sent, ${failed} failed, slowest ${slowestMs} ms; ${shares.join(', ')}`;
}
