// Checks of a configuration beyond the schema, which compare several values. Thread: main.

import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { faultOfDirectory, statsAt } from '../files/path-kind.ts';
import type { LogField } from '../../logging/access/log-fields.ts';
import { compileLogFormat } from '../../logging/access/log-formats.ts';
import type { CheckContext } from './parsed-config.ts';
import { checkAdmin } from './validate-admin.ts';
import { checkListeners } from './validate-listeners.ts';
import { checkListenerTls } from './validate-tls.ts';
import { checkRoutes, upstreamPaths, unknownName } from './validate-routes.ts';
import { checkWrittenSecrets } from './validate-secrets.ts';
import { checkTcp } from './validate-tcp.ts';
import { checkUpstreams } from './validate-upstreams.ts';
import type { KeyPath } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';

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
  const file = path.resolve(context.directory, output);
  const directory = path.dirname(file);
  const fault = faultOfDirectory(directory);
  const isDirectory = statsAt(file)?.isDirectory() === true;
  if (fault === null && !isDirectory) return;
  const message = isDirectory
    ? `${file} is a directory: name a file in it, such as ${path.join(output, 'access.log')}`
    : `the directory ${directory} ${fault}`;
  context.report({ code: 'FL4001', message, path: ['accessLog', 'output'] });
}

/** The state file is replaced by renaming, so its directory must be writable. Another user may run the check: a warning. */
function checkStateFile(context: CheckContext): void {
  const file = context.config.health?.stateFile;
  if (file === undefined) return;
  const absolute = path.resolve(context.directory, file);
  const reason = reasonAgainstWriting(absolute);
  if (reason === null) return;
  const message = `${reason}: drains, weights and ejections would be lost at a restart`;
  context.report({ code: 'FL9024', message, path: ['health', 'stateFile'] });
}

function reasonAgainstWriting(file: string): string | null {
  const directory = path.dirname(file);
  const fault = faultOfDirectory(directory);
  if (fault !== null) return `the directory ${directory} ${fault}`;
  if (statsAt(file)?.isDirectory() === true) return `${file} is a directory, not a file`;
  try {
    accessSync(directory, constants.W_OK);
    return null;
  } catch {
    return `the directory ${directory} is not writable by this user`;
  }
}

function checkGrpcRoutes(context: CheckContext): void {
  for (const [index, route] of context.config.routes.entries()) {
    if (route === null) continue;
    const path = ['routes', index];
    const { protocol } = route.match ?? {};
    const isForGrpc = protocol !== undefined && protocol.every((one) => one === 'grpc');
    if (context.tree.valueAt([...path, 'grpcWeb']) === true) {
      reportHttp1Upstreams(path, [...path, 'grpcWeb'], context);
    } else if (isForGrpc) reportHttp1Upstreams(path, [...path, 'match', 'protocol'], context);
  }
}

function reportHttp1Upstreams(route: KeyPath, path: KeyPath, context: CheckContext): void {
  for (const at of upstreamPaths(route, context)) {
    const name = context.tree.valueAt(at);
    if (typeof name !== 'string' || context.config.upstreams.get(name)?.protocol !== 'http1') continue;
    const remedy = 'set protocol: http2 for the upstream';
    const message = `gRPC calls are sent to upstream ${quoted(name)} over HTTP/1.1, which carries no gRPC: ${remedy}`;
    context.report({ code: 'FL9030', message, path });
  }
}

/** A registration has a port: that of a listener bound to a TCP address. */
function checkRegister(context: CheckContext): void {
  const all = context.config.listeners.filter((one) => one !== null);
  const place = ['register', 'consul'];
  const isList = Array.isArray(context.tree.valueAt(place));
  for (const [index, { listener }] of (context.config.register?.consul ?? []).entries()) {
    const path = [...place, ...(isList ? [index] : []), ...(listener === undefined ? [] : ['listener'])];
    const named = all.filter(({ name }) => listener === undefined || name === listener);
    if (listener !== undefined && named.length === 0) {
      const names = all.map(({ name }) => name);
      context.report({ code: 'FL3002', path, ...unknownName('listener', listener, names) });
    } else if (named.length > 0 && named.every(({ bind }) => bind.kind !== 'tcp')) {
      const which = listener === undefined ? 'no listener' : `listener ${listener} not`;
      const message = `a registration needs a TCP port, and ${which} is bound to one: name a listener with bind host:port`;
      context.report({ code: 'FL3008', path, message });
    }
  }
}
