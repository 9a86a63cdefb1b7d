// Table of discovery sources. A new one is one file and one line here. Thread: main.

import { DescriptorTable } from '../core/descriptor-table.ts';
import { dns } from './dns-source.ts';
import { docker } from './docker-source.ts';
import { consul } from './consul-source.ts';
import { etcd } from './etcd-source.ts';
import { file } from './file-source.ts';
import { kubernetes } from './kubernetes-source.ts';
import type { SourceDescriptor } from './source.ts';

/** In the order in which the documentation lists them. */
const BUILT_IN: readonly SourceDescriptor[] = [dns, file, kubernetes, consul, docker, etcd];

const table = new DescriptorTable<SourceDescriptor>('discovery source', BUILT_IN);

/** All sources, in the order of the table. */
export function allSources(): readonly SourceDescriptor[] {
  return table.all();
}

/** @throws Error when there is none: the configuration accepts registered names only. */
export function sourceNamed(name: string): SourceDescriptor {
  return table.named(name);
}
