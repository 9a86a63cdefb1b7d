// References from one namespace to another, which need a ReferenceGrant in the namespace that is referred to. Thread: main.

import { listAt, textAt } from '../../discovery/kubernetes/api-object.ts';
import type { Cluster } from './cluster.ts';

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';

export interface Reference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  /** Core group. */
  readonly to: { readonly kind: string; readonly namespace: string; readonly name: string };
}

export function isGranted({ referenceGrants }: Pick<Cluster, 'referenceGrants'>, { from, to }: Reference): boolean {
  if (from.namespace === to.namespace) return true;
  return [...referenceGrants.values()].some((grant) => {
    if (textAt(grant, 'metadata', 'namespace') !== to.namespace) return false;
    const isFrom = listAt(grant, 'spec', 'from').some(
      (one) =>
        textAt(one, 'group') === from.group &&
        textAt(one, 'kind') === from.kind &&
        textAt(one, 'namespace') === from.namespace,
    );
    const isTo = listAt(grant, 'spec', 'to').some(
      (one) =>
        textAt(one, 'group') === '' && textAt(one, 'kind') === to.kind && ['', to.name].includes(textAt(one, 'name')),
    );
    return isFrom && isTo;
  });
}
