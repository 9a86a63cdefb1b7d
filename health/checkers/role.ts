// Roles of replicated servers: the expected one, and the verdict on the one that a server has. Thread: both.

import type { OptionSchemas } from '../../core/option-schema.ts';
import type { HeartbeatResult } from './checker.ts';

export type Role = 'primary' | 'replica';

/** Option `expectRole`, for checkers of replicated servers. */
export function roleOption(z: OptionSchemas['z']) {
  return z
    .enum(['primary', 'replica'])
    .describe(
      'With `postgres`, `mysql` and `redis`: the role that the server must have; any if absent. A server of the other role is down at once, and gets no session as a last resort.',
    )
    .optional();
}

/** Options `user` and `password`, for checkers that log in. */
export function loginOptions(z: OptionSchemas['z']) {
  return {
    user: z
      .string()
      .min(1)
      .max(128)
      .meta({ expects: 'a name', example: 'fairlead' })
      .describe('With `postgres`, `mysql` and `redis`: the user to log in as.')
      .optional(),
    password: z
      .string()
      .min(1)
      .max(512)
      .meta({ expects: 'a password', example: '"${DB_PASSWORD}"', isSecret: true })
      .describe('With `postgres`, `mysql` and `redis`: the password of the user.')
      .optional(),
  };
}

/** Settings common to them. Secrets are under a key that no log shows. */
export interface LoginSettings {
  readonly user: string;
  readonly secrets: { readonly password: string };
  /** '' for any. */
  readonly role: Role | '';
  /** Whether an endpoint that it finds down must get nothing, not even as a last resort. */
  readonly isDecisive: boolean;
}

export function loginSettings(options: {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly expectRole?: Role | undefined;
}): LoginSettings {
  const { user = '', password = '', expectRole = '' } = options;
  return { user, secrets: { password }, role: expectRole, isDecisive: expectRole !== '' };
}

/** The result for a server of a role. */
export function judgeRole(role: Role, { role: wanted }: Pick<LoginSettings, 'role'>): HeartbeatResult {
  const cause = `is a ${role}`;
  if (wanted === '' || wanted === role) return { kind: 'ok', cause };
  return { kind: 'fail', cause, isWrongRole: true };
}
