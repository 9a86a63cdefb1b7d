// System: discovery sources, providers, listeners, workers, maintenance. Runs in the browser.

import type { Live, Provider } from '../types.ts';
import { ApiError, readProviders } from '../data/api.ts';
import { age, count, span } from '../data/format.ts';
import { SOURCE_STATES } from '../data/problems.ts';
import { byId } from '../parts/dom.ts';
import { type Label, TextTable, type TextRow } from '../parts/text-table.ts';

const text = (id: string, title: string, width: number) => ({ id, title, width, isText: true });
const number = (id: string, title: string, width: number) => ({ id, title, width });

interface SystemTable {
  readonly id: string;
  readonly label: string;
  readonly headings: ConstructorParameters<typeof TextTable>[2];
  readonly empty: string;
  readonly rows: (live: Live) => TextRow[];
}

const SOURCE_LOOKS = {
  pending: { sign: '◔', tone: 'warn' },
  current: { sign: '●', tone: 'good' },
  stale: { sign: '!', tone: 'warn' },
  held: { sign: '‖', tone: 'set' },
} as const;

const WORKER_LOOKS = {
  starting: { sign: '◔', tone: 'warn' },
  listening: { sign: '●', tone: 'good' },
  draining: { sign: '↓', tone: 'set' },
  exited: { sign: '✕', tone: 'bad' },
} as const;

const SOURCES: SystemTable = {
  id: 'sources',
  label: 'Sources of endpoints',
  headings: [
    text('upstream', 'upstream', 9),
    text('source', 'source', 6),
    text('subject', 'subject', 12),
    text('state', 'state', 13),
    number('endpoints', 'endpoints', 6.5),
    number('age', 'confirmed', 7),
    number('updates', 'updates', 6),
    number('failures', 'failures', 6),
  ],
  empty: 'No upstream has a discovery source: endpoints come from the configuration.',
  rows: ({ upstreams }) =>
    upstreams.flatMap(({ name, sources }) =>
      sources.map(({ source, subject, state, endpoints, ageSeconds, updates, failures, cause }) => {
        const badge = { ...SOURCE_LOOKS[state], label: SOURCE_STATES[state] };
        const age = ageSeconds === null ? 'never' : `${span(ageSeconds)} ago`;
        const figures = [count(endpoints), age, count(updates), count(failures)];
        return { cells: [name, source, subject, badge, ...figures], note: state === 'held' ? cause : errorText(cause) };
      }),
    ),
};

function errorText(cause: string): string {
  return cause === '' ? '' : `Last error: ${cause}`;
}

/** Refused objects in the note of a provider; the others are counted. */
const MOST_REFUSED = 5;

const PROVIDER_HEADINGS = [
  text('name', 'provider', 8),
  text('subject', 'subject', 12),
  text('state', 'state', 13),
  number('age', 'confirmed', 7),
  number('routes', 'routes', 5),
  number('upstreams', 'upstreams', 6.5),
  number('certificates', 'certificates', 7.5),
  number('accepted', 'objects in use', 9),
  number('refused', 'refused', 5.5),
];

/** States and ages of the newest status; the rest is fetched when it may have changed. */
function providerRows({ providers }: Live, details: ReadonlyMap<string, Provider>): TextRow[] {
  return providers.map(({ name, state, ageSeconds, cause, accepted, refused }) => {
    const known = details.get(name);
    const badge = { ...SOURCE_LOOKS[state], label: SOURCE_STATES[state] };
    const age = ageSeconds === null ? 'never' : `${span(ageSeconds)} ago`;
    const parts = [known?.routes, known?.upstreams, known?.certificates].map((one) => count(one ?? null));
    const cells = [name, known?.subject ?? '', badge, age, ...parts, count(accepted), count(refused)];
    const objects = known?.refused.slice(0, MOST_REFUSED).map((one) => `Refused: ${one.object}: ${one.cause}`) ?? [];
    const more = refused - objects.length;
    const rest = more > 0 && objects.length > 0 ? [`and ${count(more)} more`] : [];
    return { cells, note: [errorText(cause), ...objects, ...rest].filter((line) => line !== '').join('\n') };
  });
}

/** No client reaches such a listener. */
const NOT_BOUND: Label = { sign: '✕', label: 'not bound', tone: 'bad' };

const LISTENERS: SystemTable = {
  id: 'listeners',
  label: 'Listeners',
  headings: [
    text('name', 'listener', 8),
    text('address', 'address', 12),
    number('connections', 'connections', 7.5),
    number('http2', 'HTTP/2', 5.5),
    number('streams', 'streams', 5.5),
    number('requests', 'requests', 8),
    number('refused', 'refused connections', 12),
    number('bad', 'bad requests', 8),
  ],
  empty: 'There is no listener.',
  rows: ({ listeners }) =>
    listeners.map((one) => ({
      cells: [
        one.name,
        one.address === null ? NOT_BOUND : `${one.address}${one.tls ? ' TLS' : ''}`,
        count(one.connections),
        count(one.http2Connections),
        count(one.streams),
        count(one.requests),
        count(one.connectionsRefused),
        count(one.badRequests),
      ],
    })),
};

const WORKERS: SystemTable = {
  id: 'workers',
  label: 'Workers',
  headings: [
    text('worker', 'worker', 6),
    text('state', 'state', 9),
    number('revision', 'revision', 6),
    number('requests', 'requests in progress', 12),
    number('connections', 'connections', 7.5),
    number('upgraded', 'WebSockets, tunnels', 12),
    number('restarts', 'restarts', 6),
  ],
  empty: 'No worker runs.',
  rows: ({ workers }) =>
    workers.map(({ worker, state, restarts, generation, exchanges, connections, upgraded }) => {
      const figures = [generation, exchanges, connections, upgraded, restarts].map(count);
      return { cells: [String(worker), { ...WORKER_LOOKS[state], label: state }, ...figures] };
    }),
};

const MAINTENANCE: SystemTable = {
  id: 'maintenance-table',
  label: 'Maintenance',
  headings: [
    text('name', 'name', 10),
    text('of', 'kind', 7),
    text('since', 'since', 7),
    text('by', 'set by', 14),
    number('retry', 'Retry-After', 8),
  ],
  empty: 'No route and no upstream is in maintenance.',
  rows: ({ maintenance, at }) =>
    maintenance.map(({ name, of, since, by, retryAfterSeconds }) => ({
      cells: [name, of, `${age(since, Date.parse(at))} ago`, by, span(retryAfterSeconds)],
    })),
};

export class SystemView {
  readonly #tables = [SOURCES, LISTENERS, WORKERS, MAINTENANCE].map(({ id, label, headings, empty, rows }) => ({
    table: new TextTable(byId(id, HTMLElement), label, headings, empty),
    rows,
  }));
  readonly #providers = new TextTable(
    byId('providers', HTMLElement),
    'Providers',
    PROVIDER_HEADINGS,
    'No provider: routes come from the configuration.',
  );
  #details: ReadonlyMap<string, Provider> = new Map();

  /** Fetches the details of providers: when the view is opened, and after a change. */
  async load(): Promise<void> {
    try {
      this.#details = new Map((await readProviders()).map((one) => [one.name, one]));
    } catch (error) {
      // The stream reports a lost connection; the states are those of its newest status.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  update(live: Live): void {
    for (const { table, rows } of this.#tables) table.update(rows(live));
    this.#providers.update(providerRows(live, this.#details));
  }
}
