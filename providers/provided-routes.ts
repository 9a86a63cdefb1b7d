// Routes of providers: settings from texts of objects, actions by listener, and precedence. Thread: main.

import type { ServedListener } from './provider.ts';

/** Settings of a route from named texts: annotations or labels. */
export interface RouteSettings {
  readonly settings: object;
  readonly redirectsToHttps: boolean;
}

type Settings = Record<string, Record<string, unknown>>;
type Setter = (settings: Settings, value: string) => void;

function below(key: string, option: string, parse: (value: string) => unknown = (value) => value): Setter {
  return (settings, value) => {
    (settings[key] ??= {})[option] = parse(value);
  };
}

const SETTERS: Readonly<Record<string, Setter>> = {
  'strip-prefix': below('rewrite', 'stripPrefix'),
  'add-prefix': below('rewrite', 'addPrefix'),
  'response-timeout': below('timeouts', 'response'),
  'idle-timeout': below('timeouts', 'idle'),
  'retry-attempts': below('retry', 'attempts', (value) => (/^\d+$/.test(value) ? Number(value) : value)),
  'body-limit': below('limits', 'body'),
};
const REDIRECT = 'redirect-to-https';

/** A bounded set: each is one setting of a route, whose schema checks the value. */
export const ROUTE_SETTINGS: readonly string[] = [REDIRECT, ...Object.keys(SETTERS)];

/** Reads those of ROUTE_SETTINGS; others are ignored. */
export function routeSettings(named: Readonly<Record<string, string>>): RouteSettings {
  const settings: Settings = {};
  for (const [name, value] of Object.entries(named)) {
    if (Object.hasOwn(SETTERS, name)) SETTERS[name]!(settings, value);
  }
  return { settings, redirectsToHttps: named[REDIRECT] === 'true' };
}

/** The action on all listeners; or, with a redirect to HTTPS, on those with TLS, and the redirect on the others. */
export function actionsOf(
  listeners: readonly ServedListener[],
  redirectsToHttps: boolean,
  forward: object,
): readonly { readonly listeners: readonly string[]; readonly action: object }[] {
  const plain = listeners.filter(({ isTls }) => !isTls).map(({ name }) => name);
  const secure = listeners.filter(({ isTls }) => isTls).map(({ name }) => name);
  if (!redirectsToHttps || plain.length === 0 || secure.length === 0) {
    return [{ listeners: [...plain, ...secure], action: forward }];
  }
  const redirect = { redirect: { to: 'https://{hostname}{uri}', status: 308 } };
  return [
    { listeners: plain, action: redirect },
    { listeners: secure, action: forward },
  ];
}

interface RoutePlace {
  /** '' for every host. */
  readonly host: string;
  readonly path: string;
}

/** Hosts before wildcards before no host; longer wildcards, and longer paths, first. */
export function comparePlaces(a: RoutePlace, b: RoutePlace): number {
  return hostRank(a.host) - hostRank(b.host) || b.host.length - a.host.length || b.path.length - a.path.length;
}

function hostRank(host: string): number {
  return host === '' ? 2 : host.startsWith('*') ? 1 : 0;
}
