// Compiles the policies of a configuration: built-in ones by their keys, those of plugins by their lists. Runs with the
// checks, so that every problem that a policy reports has a location. Thread: main.

import type { PolicyScope, TracingDefaults } from '../../core/policy/policy-definition.ts';
import type { PluginSnapshot } from '../../core/snapshot/policy.ts';
import type { FilesAction, LocalAction } from '../../core/snapshot/route.ts';
import { capturesOfFormat, compileLogFormat } from '../../logging/access/log-formats.ts';
import { type AnyBuiltInPolicy, POLICIES } from '../../proxy/policies/registry.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { CheckContext } from '../validate/parsed-config.ts';
import { routeName } from '../validate/validate-routes.ts';
import { compileAction } from './compile-action.ts';
import type { LoadedPlugins } from './load-plugins.ts';
import { compileContext, type CompiledPolicy, type PolicyPlace } from './policy-place.ts';
import { compileUses, type KnownPolicies } from './policy-uses.ts';

/** The policies of a configuration, in the order in which they are written within each place. */
export interface CompiledPolicies {
  readonly plugins: readonly PluginSnapshot[];
  readonly listeners: readonly (readonly CompiledPolicy[])[];
  readonly routes: readonly (readonly CompiledPolicy[])[];
  /** Of routes that answer by themselves; null for others. */
  readonly actions: readonly (LocalAction | FilesAction | null)[];
  /** By name. */
  readonly upstreams: ReadonlyMap<string, readonly CompiledPolicy[]>;
}

/** Compiles all policies and reports every problem; the result is complete only if none was reported. */
export function compilePolicies({ plugins, policies }: LoadedPlugins, context: CheckContext): CompiledPolicies {
  const at = (place: PolicyPlace | null): readonly CompiledPolicy[] =>
    place === null ? [] : compilePlace(place, policies, context);
  const { listeners, routes, upstreams, accessLog, tracing } = context.config;
  const loggedFields = accessLog ? capturesOfFormat(compileLogFormat(accessLog.format)) : [];
  return {
    plugins,
    listeners: listeners.map((listener, index) =>
      at(listener && { ...ofScope('listener', listener.name, ['listeners', index]), settings: listener }),
    ),
    routes: routes.map((route, index) =>
      at(
        route && {
          ...ofScope('route', routeName(route, index), ['routes', index]),
          loggedFields,
          tracing: tracingDefaults(tracing),
          hasUpstream: route.upstream !== undefined || route.split !== undefined,
          settings: route,
        },
      ),
    ),
    actions: routes.map((route, index) => {
      if (route === null) return null;
      const path = ['routes', index];
      const place = { ...ofScope('route', routeName(route, index), path), hasUpstream: false, settings: route };
      return compileAction(route, compileContext(place, path, context), context.files);
    }),
    upstreams: new Map(
      [...upstreams].map(([name, upstream]) => [
        name,
        at(upstream && { ...ofScope('upstream', name, ['upstreams', name]), settings: upstream }),
      ]),
    ),
  };
}

/** Any values stand for settings that don't fit the schema: the configuration is refused. */
function tracingDefaults(tracing: CheckContext['config']['tracing']): TracingDefaults | null {
  if (tracing === undefined) return null;
  return { samplingPercent: tracing?.sampling ?? 0, parent: tracing?.parent ?? 'trusted' };
}

function ofScope(scope: PolicyScope, owner: string, path: KeyPath) {
  return { scope, owner, path, hasUpstream: true, loggedFields: [], tracing: null };
}

function compilePlace(place: PolicyPlace, known: KnownPolicies, context: CheckContext): CompiledPolicy[] {
  const compiled: CompiledPolicy[] = [];
  const own = compileContext(place, place.path, context);
  for (const policy of POLICIES as unknown as readonly AnyBuiltInPolicy[]) {
    if (policy.scope !== place.scope) continue;
    const data = policy.compile(place.settings as never, own);
    if (data !== null) compiled.push({ name: policy.name, stage: policy.stage, needs: policy.needs, data });
  }
  const written = place.settings['policies'];
  if (Array.isArray(written)) compiled.push(...compileUses(place, written as readonly object[], known, context));
  return compiled;
}
