// Schema of an upstream's `balance`: the balancer and its options, from the table of balancers. Thread: main.

import { z } from 'zod';
import { allBalancers } from '../../balancers/registry.ts';
import { optionSchemas } from './schema-values.ts';

/** A balancer's name, and its options by theirs. */
export type BalanceConfig = { readonly strategy: string } & Readonly<Record<string, unknown>>;

/** Builds the schema for the balancers that are registered now. */
export function balanceSchema() {
  const balancers = allBalancers();
  const names = balancers.map(({ name }) => name);
  const expects = `one of ${names.join(', ')}`;
  const strategyMeta = { expects, example: 'random', description: 'The balancer.' };
  const forms = balancers.map(({ name, options }) =>
    z.strictObject({ strategy: z.literal(name).meta(strategyMeta), ...options(optionSchemas) }),
  );
  const [first, ...others] = forms;
  const strategies = z.discriminatedUnion('strategy', [first!, ...others]);
  return z
    .union([z.enum(names), strategies])
    .transform((given): BalanceConfig => (typeof given === 'string' ? strategies.parse({ strategy: given }) : given))
    .meta({
      expects: `${names.join(', ')}, or a mapping with strategy`,
      example: '{ strategy: consistent-hash, key: header:x-user }',
    });
}
