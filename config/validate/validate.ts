// Checks of a configuration beyond the schema, which compare several values. Thread: main.

import { accessSync, constants, statSync } from 'node:fs';
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
  checkStateFile(context);
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

/** The state file is replaced by renaming, so its directory must be writable. Another user may run the check: a warning. */
function checkStateFile(context: CheckContext): void {
  const file = context.config.health?.stateFile;
  if (file === undefined) return;
  const directory = path.dirname(path.resolve(context.directory, file));
  const reason = reasonAgainstWriting(directory);
  if (reason === null) return;
  const message = `the directory ${directory} ${reason}: drains, weights and ejections would be lost at a restart`;
  context.report({ code: 'FL9024', message, path: ['health', 'stateFile'] });
}

function reasonAgainstWriting(directory: string): string | null {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return 'does not exist';
  try {
    accessSync(directory, constants.W_OK);
    return null;
  } catch {
    return 'is not writable by this user';
  }
}
