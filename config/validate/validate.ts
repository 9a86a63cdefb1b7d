// Checks of a configuration beyond the schema, which compare several values. Thread: main.

import { statSync } from 'node:fs';
import path from 'node:path';
import type { CheckContext } from './parsed-config.ts';
import { checkAdmin } from './validate-admin.ts';
import { checkListeners } from './validate-listeners.ts';
import { checkRoutes } from './validate-routes.ts';
import { checkWrittenSecrets } from './validate-secrets.ts';
import { checkUpstreams } from './validate-upstreams.ts';

/** Runs all checks; parts that don't fit the schema have been reported already. */
export function validate(context: CheckContext): void {
  checkListeners(context);
  checkAdmin(context);
  checkRoutes(context);
  checkUpstreams(context);
  checkWrittenSecrets(context);
  checkAccessLog(context);
}

/** The log file is created at the start; its directory must exist. */
function checkAccessLog(context: CheckContext): void {
  const output = context.config.accessLog?.output;
  if (output === undefined || output === 'stdout' || output === 'stderr') return;
  const directory = path.dirname(path.resolve(context.directory, output));
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  context.report({
    code: 'FL4001',
    message: `the directory ${directory} does not exist`,
    path: ['accessLog', 'output'],
  });
}
