// Table of providers. A new one is one file and one line here. Thread: main.

import { DescriptorTable } from '../core/descriptor-table.ts';
import { dockerProvider } from './docker-provider.ts';
import { kubernetesProvider } from './kubernetes-provider.ts';
import type { ProviderDescriptor } from './provider.ts';

/** In the order in which the documentation lists them. */
const BUILT_IN: readonly ProviderDescriptor[] = [kubernetesProvider, dockerProvider];

const table = new DescriptorTable<ProviderDescriptor>('provider', BUILT_IN);

/** All providers, in the order of the table. */
export function allProviders(): readonly ProviderDescriptor[] {
  return table.all();
}

/** @throws Error when there is none: the configuration accepts registered names only. */
export function providerNamed(name: string): ProviderDescriptor {
  return table.named(name);
}
