// Checks settings that stand for routes or upstreams: those of a group, and defaults. Thread: main.

import type { z } from 'zod';
import type { Finding } from '../problems/problem.ts';
import { findingsOf } from '../schema/schema-findings.ts';
import { retypeVariables } from '../yaml/retype-variables.ts';
import type { SourceTree } from '../yaml/source-tree.ts';

/** Reports every problem, even of a setting that each route replaces. @param part a tree of the settings alone */
export function checkPart(part: SourceTree, schema: z.ZodType, report: (finding: Finding) => void): void {
  retypeVariables(part, schema);
  const parsed = schema.safeParse(part.root);
  if (parsed.success) return;
  for (const finding of findingsOf(parsed.error.issues, schema, part)) report(finding);
}
