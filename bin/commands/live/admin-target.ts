// Address and credentials of the admin API that a command uses: from options or the environment. Thread: main.

import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parseBindAddress } from '../../../config/values/bind-address.ts';
import { formatBindAddress } from '../../../net/host-port.ts';
import type { BindAddress } from '../../../core/snapshot/listener.ts';

/** An invalid address, or an unreadable file. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

export interface AdminTarget {
  readonly where: Exclude<BindAddress, { kind: 'fd' }>;
  /** PEM texts; null for HTTP. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  readonly token: string | null;
  /** Address in messages. */
  readonly name: string;
}

/** Options added by `addAdminOptions`. */
export interface AdminOptions {
  readonly admin: string;
  readonly token?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** `--admin`, `--token` and TLS files; each may come from the environment instead. */
export function addAdminOptions(command: Command): Command {
  const where = 'where the admin API listens: host:port, https://host:port or unix:/path';
  return command
    .addOption(new Option('--admin <address>', where).default('127.0.0.1:9900').env('FAIRLEAD_ADMIN'))
    .addOption(new Option('--token <token>', 'better in the environment: ps shows it').env('FAIRLEAD_ADMIN_TOKEN'))
    .addOption(
      new Option('--ca <file>', "CAs that may vouch for the API, in place of the system's").env('FAIRLEAD_ADMIN_CA'),
    )
    .addOption(new Option('--cert <file>', 'certificate to show to the API').env('FAIRLEAD_ADMIN_CERT'))
    .addOption(new Option('--key <file>', 'its private key').env('FAIRLEAD_ADMIN_KEY'));
}

/** @throws AddressError */
export function adminTarget(options: AdminOptions): AdminTarget {
  const { admin, token, ca, cert, key } = options;
  const isSecure = admin.startsWith('https://');
  const where = addressOf(admin.replace(/^https?:\/\/([^/]*)\/?$/, '$1'));
  const files = { ...read('ca', ca), ...read('cert', cert), ...read('key', key) };
  if (!isSecure && Object.keys(files).length > 0) {
    throw new AddressError(`--${Object.keys(files)[0]} is for TLS: write the address as https://host:port`);
  }
  const name = `${isSecure ? 'https://' : ''}${formatBindAddress(where)}`;
  return { where, tls: isSecure ? files : null, token: token ?? null, name };
}

function read(option: 'ca' | 'cert' | 'key', file: string | undefined): Partial<Record<typeof option, string>> {
  if (file === undefined) return {};
  try {
    return { [option]: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new AddressError(`the file of --${option} can't be read: ${(error as Error).message}`);
  }
}

function addressOf(text: string): AdminTarget['where'] {
  const parsed = parseBindAddress(text);
  if (!parsed.ok) throw new AddressError(parsed.message);
  const { value } = parsed;
  if (value.kind === 'fd')
    throw new AddressError(`"${text}" is a descriptor of another process: write host:port or unix:/path`);
  const isAnywhere = value.kind === 'tcp' && (value.host === '' || value.host === '0.0.0.0');
  return isAnywhere ? { ...value, host: '127.0.0.1' } : value;
}
