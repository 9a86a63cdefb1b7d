// Checks of a configuration beyond the schema, which compare several values. Thread: main.

import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { LogField } from '../../logging/access/log-fields.ts';
import { compileLogFormat } from '../../logging/access/log-formats.ts';
import type { CheckContext } from './parsed-config.ts';
import { checkAdmin } from './validate-admin.ts';
import { checkGrpcRoutes } from './validate-grpc.ts';
import { checkListeners } from './validate-listeners.ts';
import { checkListenerTls } from './validate-tls.ts';
import { checkRegister } from './validate-register.ts';
import { checkRoutes } from './validate-routes.ts';
import { checkWrittenSecrets } from './validate-secrets.ts';
import { checkTcp } from './validate-tcp.ts';
import { checkUpstreams } from './validate-upstreams.ts';

/** Runs all checks; parts that don't fit the schema have been reported already. */
export function validate(context: CheckContext): void {
  checkListeners(context);
  checkListenerTls(context);
  checkAdmin(context);
  checkRoutes(context);
  checkGrpcRoutes(context);
  checkUpstreams(context);
  checkTcp(context);
  checkRegister(context);
  checkWrittenSecrets(context);
  checkAccessLog(context);
  checkLogOptions(context);
  checkStateFile(context);
}

/** Times and redactions that change nothing, or that nobody expects. */
function checkLogOptions(context: CheckContext): void {
  const { accessLog } = context.config;
  if (!accessLog) return;
  const { slow, sample, skip, format } = accessLog;
  if (slow > 0 && sample === 100 && skip === undefined) {
    const message = 'slow has no effect: without skip and sample every request is logged';
    context.report({ code: 'FL9004', message, path: ['accessLog', 'slow'] });
  }
  const { fields } = compileLogFormat(format).settings as { fields?: readonly LogField[] | null };
  for (const [index, { key, isHidden }] of (fields ?? []).entries()) {
    if (!isHidden) continue;
    const message = `the value of ${key} is logged as <hidden>: remove it, or write redact without its field`;
    const at = Array.isArray(format['fields']) ? index : key;
    context.report({ code: 'FL9004', message, path: ['accessLog', 'format', 'fields', at] });
  }
}

/** The log file is created at the start; its directory must exist. */
function checkAccessLog(context: CheckContext): void {
  const output = context.config.accessLog?.output;
  if (typeof output !== 'string' || output === 'stdout' || output === 'stderr') return;
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
