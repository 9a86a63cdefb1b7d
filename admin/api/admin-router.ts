// Finds the route of a request to the admin API. Thread: main.

import { AdminError } from './admin-reply.ts';
import type { AdminRoute } from './admin-route.ts';
import { ADMIN_ROUTES } from './admin-routes.ts';

export interface RoutedRequest {
  /** Null for OPTIONS. */
  readonly route: AdminRoute | null;
  /** Value of the field Allow. */
  readonly allow: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The route for a method and a path. @throws AdminError 404 with all paths, 405 with Allow, 400 */
export function findRoute(method: string, path: string): RoutedRequest {
  const found = ADMIN_ROUTES.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === null ? [] : [{ route, params }];
  });
  if (found.length === 0) throw notFound();
  const allow = allowOf(found.map(({ route }) => route.method));
  // RFC 9110 section 9.3.7. Nothing here answers a preflight of a browser: there is no cross-origin access.
  if (method === 'OPTIONS') return { route: null, allow, params: {} };
  const wanted = method === 'HEAD' ? 'GET' : method;
  const match = found.find(({ route }) => route.method === wanted);
  if (match !== undefined) return { ...match, allow };
  throw new AdminError(405, 'method-not-allowed', `use ${allow}`, { fields: { Allow: allow } });
}

function allowOf(methods: readonly string[]): string {
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'].join(', ');
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    if (segment.startsWith(':')) params[segment.slice(1)] = decoded(given[i]!);
    else if (segment !== given[i]) return null;
  }
  return params;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new AdminError(400, 'malformed-path', 'the path has a percent sign that no two hex digits follow');
  }
}

function notFound(): AdminError {
  const paths = ADMIN_ROUTES.map(({ method, path, means }) => `${method} ${path}: ${means}`);
  return new AdminError(404, 'not-found', 'there is nothing here; `paths` says what there is', { details: { paths } });
}
