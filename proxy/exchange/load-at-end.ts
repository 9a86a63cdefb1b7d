// The load at the end of an exchange, as HAProxy logs it (actconn/feconn/beconn/srv_conn). Thread: worker.

import { E_INFLIGHT, WORKER } from '../../core/memory/layout.ts';
import type { LoadAtEnd } from '../../core/exchange-record.ts';
import type { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

export class LoadReading implements LoadAtEnd {
  openConnections = 0;
  listenerConnections = 0;
  upstreamInflight = 0;
  endpointInflight = 0;

  reset(): void {
    this.openConnections = 0;
    this.listenerConnections = 0;
    this.upstreamInflight = 0;
    this.endpointInflight = 0;
  }

  read(region: Region, worker: number, upstream: UpstreamSnapshot | null, endpoint: EndpointSnapshot | null): void {
    this.openConnections = openConnectionsOf(region, worker);
    this.listenerConnections = this.openConnections;
    for (const { slot } of upstream?.endpoints ?? []) this.upstreamInflight += inflightOf(region, slot);
    if (endpoint !== null) this.endpointInflight = inflightOf(region, endpoint.slot);
  }
}

/** Client connections that are open in a worker. */
export function openConnectionsOf(region: Region, worker: number): number {
  return region.words[region.workerWord(worker) + WORKER.openConnections.index]!;
}

function inflightOf(region: Region, slot: number): number {
  return region.words[region.endpointWord(slot) + E_INFLIGHT]!;
}
