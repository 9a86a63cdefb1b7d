// Reads a kubeconfig: the server and credentials of a context. Commands that print credentials (exec) and
// authentication providers are refused: Fairlead runs no program on behalf of a file. Thread: main.

import path from 'node:path';
import { parse } from 'yaml';
import type { ApiAccess } from './access-settings.ts';
import { type ApiObject, isObject, listAt, textAt, valueAt } from './api-object.ts';

interface KubeconfigParts {
  readonly file: string;
  /** '' for the current one. */
  readonly context: string;
  /** Reads a file that the kubeconfig refers to. @throws Error */
  readonly read: (file: string) => string;
}

/** Keys of a user that need more than a file or a text. */
const REFUSED_USER = {
  exec: 'it runs a command',
  'auth-provider': 'authentication providers are obsolete',
  username: 'API servers accept no passwords',
  as: 'impersonation is not supported',
} as const;

/** @throws Error that names the file and what is wrong in it */
export function accessOfKubeconfig(text: string, parts: KubeconfigParts): ApiAccess {
  const { file } = parts;
  const config = parseYaml(text, file);
  const name = parts.context === '' ? textAt(config, 'current-context') : parts.context;
  if (name === '') throw new Error(`${file} has no current-context: set "context"`);
  const context = entryOf(config, 'context', name, file);
  const cluster = entryOf(config, 'cluster', textAt(context, 'cluster'), file);
  const user = textAt(context, 'user') === '' ? {} : entryOf(config, 'user', textAt(context, 'user'), file);
  refuseUnsupported(cluster, user, `${file}: user "${textAt(context, 'user')}"`, file);
  const secret = (from: ApiObject, key: string): string => secretOf(from, key, parts);
  return {
    server: serverOf(cluster, file),
    ca: secret(cluster, 'certificate-authority'),
    cert: secret(user, 'client-certificate'),
    key: secret(user, 'client-key'),
    token:
      textAt(user, 'tokenFile') === '' ? textAt(user, 'token') : readBeside(textAt(user, 'tokenFile'), parts).trim(),
    serverName: textAt(cluster, 'tls-server-name'),
    verify: valueAt(cluster, 'insecure-skip-tls-verify') !== true,
    namespace: textAt(context, 'namespace') || 'default',
  };
}

function parseYaml(text: string, file: string): ApiObject {
  let config: unknown;
  try {
    config = parse(text);
  } catch (error) {
    throw new Error(`${file} is not valid YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
  if (!isObject(config)) throw new Error(`${file} is no kubeconfig`);
  return config;
}

/** The entry of a name in `contexts`, `clusters` or `users`. */
function entryOf(config: ApiObject, kind: 'context' | 'cluster' | 'user', name: string, file: string): ApiObject {
  const entry = listAt(config, `${kind}s`).find((one) => textAt(one, 'name') === name);
  const found = valueAt(entry, kind);
  if (!isObject(found)) throw new Error(`${file} has no ${kind} "${name}"`);
  return found;
}

function refuseUnsupported(cluster: ApiObject, user: ApiObject, subject: string, file: string): void {
  for (const [key, reason] of Object.entries(REFUSED_USER)) {
    if (valueAt(user, key) === undefined) continue;
    throw new Error(
      `${subject} has "${key}", which is refused (${reason}): use token, tokenFile or a client certificate`,
    );
  }
  if (textAt(cluster, 'proxy-url') !== '') throw new Error(`${file}: "proxy-url" is not supported`);
}

function serverOf(cluster: ApiObject, file: string): string {
  const server = textAt(cluster, 'server');
  const url = URL.parse(server);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url.href.replace(/\/+$/, '');
  throw new Error(`${file}: the server "${server}" is no URL with https or http`);
}

/** `KEY-data` in base64, or the file `KEY`. */
function secretOf(from: ApiObject, key: string, parts: KubeconfigParts): string {
  const data = textAt(from, `${key}-data`);
  if (data !== '') return Buffer.from(data, 'base64').toString('utf8');
  const file = textAt(from, key);
  return file === '' ? '' : readBeside(file, parts);
}

function readBeside(name: string, { file, read }: KubeconfigParts): string {
  return read(path.resolve(path.dirname(file), name));
}
