// A plugin for tests: one policy that answers requests with a greeting. Thread: both.

/** @type {import('../../../core/policy/policy-definition.ts').PolicyDefinition<any, { text: string }>} */
export const greeting = {
  name: 'greeting',
  needs: ['reply'],
  options: ({ z, count }) => ({
    text: z.string().default('hello').describe('Text of the greeting.'),
    times: count(1, 5).default(1).describe('How often it is said.'),
  }),
  compile({ text, times }, { report }) {
    if (text.trim() === '') report({ message: 'a greeting needs a text', path: ['text'] });
    return { text: Array.from({ length: times }, () => text).join(' ') };
  },
  create: ({ text }) => ({
    onRequest: () => ({ status: 200, fields: ['Content-Type', 'text/plain'], body: text }),
  }),
};

export const policies = [greeting];
