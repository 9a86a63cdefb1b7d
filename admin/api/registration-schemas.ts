// Schemas of replies about registrations of this Fairlead as a service. Thread: main.

import { z } from 'zod';
import { amount } from './endpoint-schemas.ts';

const registration = z.strictObject({
  id: z.string(),
  service: z.string(),
  subject: z.string().describe('The agent that it is made at.'),
  address: z.string().describe("Empty for that of the agent's node."),
  port: amount,
  state: z
    .enum(['pending', 'current', 'stale'])
    .describe('`pending`: it was never made; `stale`: the last contact with the agent failed.'),
  ageSeconds: amount.nullable().describe('Since the last contact that succeeded; null before the first.'),
  cause: z.string().describe("Why it isn't current."),
});
export type RegistrationReply = z.output<typeof registration>;
export const registrations = z.array(registration).describe('Of this Fairlead as a service.');
