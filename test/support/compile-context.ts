// The context in which a test compiles the options of a built-in policy; every reported problem fails the test.
// Thread: main.

import assert from 'node:assert/strict';
import { compileTemplate } from '../../config/policies/compile-template.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';

export function compileContext(overrides: Partial<CompileContext> = {}): CompileContext {
  const report = ({ message }: { message: string }): never => assert.fail(message);
  return {
    scope: 'route',
    owner: 'r',
    hasUpstream: true,
    loggedFields: [],
    tracing: null,
    directory: '/',
    report,
    template: (text, use) => compileTemplate(text, use, {}, report),
    shared: (_, make) => make(),
    readFile: () => null,
    ...overrides,
  };
}
