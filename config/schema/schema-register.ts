// Schema of `register`: registries in which Fairlead registers itself. Thread: main.

import { z } from 'zod';
import { checkRegistration, registrationOptions } from '../../discovery/consul/registration-settings.ts';
import { oneOrMany, optionSchemas } from './schema-values.ts';

const consul = z
  .strictObject(registrationOptions(optionSchemas))
  .superRefine((given, context) => {
    for (const { code, message, path } of checkRegistration(given)) {
      context.addIssue({ code: 'custom', message, path: [...path], params: { code } });
    }
  })
  .meta({ expects: 'a mapping such as { service: fairlead }', example: '{ service: fairlead }' });

export const register = z
  .strictObject({
    consul: oneOrMany(consul).describe(
      'Registers Fairlead as a service of Consul, or as several: one for each listener, for example (docs/discovery.md).',
    ),
  })
  .meta({ expects: 'a mapping with consul', example: '{ consul: { service: fairlead } }' })
  .describe('Where Fairlead registers itself once it is ready; removed at the beginning of a drain.');
