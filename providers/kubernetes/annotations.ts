// Annotations of Ingress objects: settings of their routes. Thread: main.

import { ROUTE_SETTINGS, type RouteSettings, routeSettings } from '../provided-routes.ts';

const PREFIX = 'fairlead.dev/';

export interface AnnotatedRoute extends RouteSettings {
  /** Unknown annotations, as causes. */
  readonly refused: readonly string[];
}

export function annotationsOf(annotations: Readonly<Record<string, string>>): AnnotatedRoute {
  const own = Object.entries(annotations).filter(([key]) => key.startsWith(PREFIX));
  const named = Object.fromEntries(own.map(([key, value]) => [key.slice(PREFIX.length), value]));
  const unknown = Object.keys(named).filter((name) => !ROUTE_SETTINGS.includes(name));
  const refused = unknown.map((name) => {
    return `the annotation ${PREFIX}${name} is unknown: use ${ROUTE_SETTINGS.join(', ')}`;
  });
  return { ...routeSettings(named), refused };
}
