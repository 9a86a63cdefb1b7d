// Converts an endpoint's name on the command line to its path in the admin API. Pure. Thread: main.

import { type AdminAnswer, refusalWords } from './admin-client.ts';
import { UsageError } from './run-live-command.ts';

/** @param endpoint `upstream/host:port`, or `upstream/` and the path of a socket @throws UsageError */
export function endpointPath(endpoint: string): string {
  const slash = endpoint.indexOf('/');
  if (slash < 1 || slash === endpoint.length - 1) {
    throw new UsageError(`"${endpoint}" names no endpoint: write upstream/host:port, such as api/10.0.0.1:3000`);
  }
  const names = [endpoint.slice(0, slash), endpoint.slice(slash + 1)].map(encodeURIComponent);
  return `/api/v1/endpoints/${names.join('/')}`;
}

/** The error for a reply about an endpoint; for an unknown one it lists the existing endpoints. */
export function endpointError(endpoint: string, answer: AdminAnswer): Error {
  if (answer.status !== 404) return new Error(refusalWords(answer));
  const { endpoints = [], endpointCount = 0 } = answer.body as { endpoints?: string[]; endpointCount?: number };
  const more = endpointCount - endpoints.length;
  const list = endpoints.map((name) => `\n  ${name}`).join('');
  const rest = more > 0 ? `\n  and ${more} more` : '';
  const verb = endpoints.length === 1 ? 'is' : 'are';
  const { detail = '', left } = answer.body as { detail?: string; left?: object };
  const words = left === undefined ? `there is no endpoint ${endpoint}` : detail;
  return new UsageError(`${words}; there ${verb}:${list === '' ? ' none' : list}${rest}`);
}
