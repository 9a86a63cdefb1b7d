// `fairlead weight UPSTREAM N --route ROUTE`: changes a weight in the split of a route at run time. Thread: main.

import { MOST_WEIGHT } from '../../../proxy/policies/split.ts';
import { callAdmin, refusalWords } from './admin-client.ts';
import { type AdminOptions, adminTarget } from './admin-target.ts';
import { attempt, UsageError } from './run-live-command.ts';

/** The admin API answers when all workers run the new revision. */
const TIMEOUT_MS = 60_000;

export interface SplitWeightArguments {
  readonly route: string;
  readonly upstream: string;
  /** A number, or `configured` for the weight in the file. */
  readonly weight: string;
}

interface Split {
  readonly upstreams: readonly { readonly name: string; readonly weight: number; readonly configuredWeight: number }[];
}

/** Changes the weight, prints the split and sets the exit code. */
export function setSplitWeight(
  { route, upstream, weight }: SplitWeightArguments,
  options: AdminOptions & { readonly json?: boolean },
): Promise<void> {
  return attempt(async () => {
    const body = { route, upstream, weight: parseSplitWeight(weight) };
    const answer = await callAdmin(adminTarget(options), '/api/v1/splits', { body, timeoutMs: TIMEOUT_MS });
    if (answer.status === 404) throw unknownName(refusalWords(answer), answer.body);
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else console.log(`route ${route} splits its requests: ${shareWords(answer.body as Split)}`);
  });
}

/** Null for `configured`. @throws UsageError */
export function parseSplitWeight(text: string): number | null {
  if (text === 'configured') return null;
  if (/^\d{1,7}$/.test(text) && Number(text) <= MOST_WEIGHT) return Number(text);
  const advice = 'configured restores that of the file';
  throw new UsageError(`"${text}" is not a weight from 0 to ${MOST_WEIGHT}; ${advice}`);
}

function shareWords({ upstreams }: Split): string {
  const shares = upstreams.map(({ name, weight, configuredWeight }) => {
    return `${name} ${weight}${weight === configuredWeight ? '' : ` (configured: ${configuredWeight})`}`;
  });
  return shares.join(', ');
}

function unknownName(words: string, body: object): UsageError {
  const { names = [] } = body as { names?: readonly string[] };
  return new UsageError([`${words}; there are:`, ...(names.length === 0 ? ['none'] : names)].join('\n  '));
}
