// Containers with labels in the reply to `GET /containers/json` of the Docker API. Thread: main.

import { parseJson } from '../../discovery/http/http-client.ts';

/** Containers that serve, or that are about to again. */
const SERVING: readonly unknown[] = ['running', 'restarting', 'paused'];
/** More containers on one engine are a mistake. */
const MOST_CONTAINERS = 65_536;

type JsonFields = Readonly<Record<string, unknown>>;

export interface LabelledContainer {
  readonly name: string;
  readonly createdS: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Those that serve; null where the reply is malformed. */
export function labelledContainers(text: string): readonly LabelledContainer[] | null {
  const reply = parseJson(text);
  if (!Array.isArray(reply) || reply.length > MOST_CONTAINERS) return null;
  const containers: LabelledContainer[] = [];
  for (const entry of reply as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return null;
    const { Id: id, Names: names, Created: created, Labels: labels, State: state } = entry as JsonFields;
    if (typeof id !== 'string') return null;
    if (!SERVING.includes(state)) continue;
    const first: unknown = Array.isArray(names) ? names[0] : undefined;
    const name = typeof first === 'string' && first !== '' ? first.replace(/^\//, '') : id.slice(0, 12);
    const texts = Object.entries(typeof labels === 'object' && labels !== null ? labels : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    );
    const createdS = typeof created === 'number' ? created : 0;
    containers.push({ name, createdS, labels: Object.fromEntries(texts) });
  }
  return containers;
}
