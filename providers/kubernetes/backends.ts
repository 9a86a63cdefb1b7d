// Upstreams of services: their endpoints are those of the source `kubernetes`, so that pods change without a reload.
// Thread: main.

import type { AccessSettings } from '../../discovery/kubernetes/access-settings.ts';
import { listAt, numberAt, textAt } from '../../discovery/kubernetes/api-object.ts';
import { type ConfigPart, nameOf } from '../provider.ts';
import type { Cluster } from './cluster.ts';

/** A reference to a port of a service. */
export interface BackendRef {
  readonly namespace: string;
  readonly service: string;
  /** Name or number; null for the only port. */
  readonly port: string | number | null;
}

/** Settings that one object has for a service. */
export interface BackendEdits {
  readonly origin: string;
  /** Distinguishes them from other settings for the service. */
  readonly name: string;
  readonly settings: object;
}

export type Backend = { readonly ok: true; readonly upstream: string } | { readonly ok: false; readonly cause: string };

export interface BackendContext {
  readonly access: AccessSettings;
  readonly watch: 'namespace' | 'cluster';
}

/** A port that no server has: tcpmux. */
const REFUSING = 'http://127.0.0.1:1';
const NO_BACKEND = 'kubernetes.no-backend';

/** Collects the upstreams of the backends that routes refer to. */
export class Backends {
  readonly #cluster: Pick<Cluster, 'services'>;
  readonly #context: BackendContext;
  readonly #upstreams: Record<string, object> = {};
  /** Of upstreams that belong to one object: they are refused with it. */
  readonly #origins: Record<string, string> = {};

  constructor(cluster: Pick<Cluster, 'services'>, context: BackendContext) {
    this.#cluster = cluster;
    this.#context = context;
  }

  /** @param edits settings of its filters, where it has some: it gets an upstream of its own then, of that origin */
  of({ namespace, service, port }: BackendRef, edits: BackendEdits | null = null): Backend {
    const found = this.#cluster.services.get(`${namespace}/${service}`);
    if (found === undefined) return { ok: false, cause: `there is no service ${namespace}/${service}` };
    if (textAt(found, 'spec', 'type') === 'ExternalName') {
      const reason = 'it names a host outside the cluster: list it in the file';
      return {
        ok: false,
        cause: `service ${namespace}/${service} has type ExternalName, which is refused (${reason})`,
      };
    }
    const ports = listAt(found, 'spec', 'ports').filter((one) => (textAt(one, 'protocol') || 'TCP') === 'TCP');
    const entry = ports.find((one) =>
      port === null
        ? ports.length === 1
        : typeof port === 'number'
          ? numberAt(one, 'port') === port
          : textAt(one, 'name') === port,
    );
    if (entry === undefined) {
      const wanted = port === null ? 'one port only: name it' : `no port ${port}`;
      return { ok: false, cause: `service ${namespace}/${service} has ${port === null ? 'not ' : ''}${wanted}` };
    }
    const number = String(numberAt(entry, 'port'));
    const upstream =
      edits === null ? nameOf(namespace, service, number) : nameOf(namespace, service, number, edits.name);
    this.#upstreams[upstream] ??= {
      ...this.#upstreamOf(namespace, service, textAt(entry, 'name')),
      ...edits?.settings,
    };
    if (edits !== null) this.#origins[upstream] = edits.origin;
    return { ok: true, upstream };
  }

  /** An upstream that refuses every connection: the share of backends that don't exist. */
  none(): string {
    this.#upstreams[NO_BACKEND] ??= { endpoints: [REFUSING], retry: { attempts: 0 }, whenAllDown: 'fail' };
    return NO_BACKEND;
  }

  /** One part for each upstream. */
  parts(): ConfigPart[] {
    return Object.entries(this.#upstreams).map(([name, upstream]) => {
      return { origin: this.#origins[name] ?? originOf('service', name), config: { upstreams: { [name]: upstream } } };
    });
  }

  #upstreamOf(namespace: string, service: string, port: string): object {
    const { access, watch } = this.#context;
    const { kubeconfig, context } = access;
    const kubernetes = {
      namespace,
      service,
      watch,
      ...(port !== '' && { port }),
      ...(kubeconfig !== '' && { kubeconfig }),
      ...(context !== '' && { context }),
    };
    // Kubernetes judges readiness; live traffic, and heartbeats in `defaults.upstreams`, do the rest.
    return { discover: { kubernetes } };
  }
}

export function originOf(kind: string, key: string): string {
  return `kubernetes ${kind} ${key}`;
}
