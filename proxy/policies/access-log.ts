// Policy: whether a route's requests are in the access log, and the response fields that its lines have. They are kept when
// the client's response is ready, because an endpoint's head is gone when the exchange ends. Thread: both.

import type { Policy } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';

type Kept = Record<string, string | undefined>;

export const accessLog = builtIn({
  name: 'access-log',
  scope: 'route',
  // The first stage is the last that responses meet: the fields are those that the client gets.
  stage: 'admit',
  needs: [],
  options: ({ z }) => ({
    accessLog: z
      .boolean()
      .describe('Whether requests of this route are in the access log; `false` leaves out failures too.')
      .optional(),
  }),
  compile: ({ accessLog: isOn = true }, { loggedFields }) =>
    isOn && loggedFields.length > 0 ? { fields: loggedFields } : null,
  explain: ({ fields }) => `keeps the response fields ${fields.join(', ')} for the access log`,
  create: ({ fields }): Policy => ({
    onResponse(exchange) {
      const kept: Kept = {};
      for (const name of fields) kept[name] = exchange.responseField(name);
      exchange.memo = kept;
      return undefined;
    },
    onLocalReply(exchange, reply) {
      const kept: Kept = {};
      for (const name of fields) kept[name] = valueIn(reply.fields, name);
      exchange.memo = kept;
      return undefined;
    },
  }),
});

function valueIn(list: readonly string[], name: string): string | undefined {
  const at = list.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : list[at + 1];
}
