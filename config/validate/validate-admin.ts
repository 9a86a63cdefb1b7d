// Checks of `admin`: reachability, TLS files and tokens. Thread: main.

import { formatBindAddress } from '../../net/host-port.ts';
import { checkCertificate, readCertificates } from '../files/certificate.ts';
import { adminTokens, isSendable, type NamedToken } from '../compile/compile-admin.ts';
import { isLoopback } from '../../net/host-port.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { AdminConfig } from '../schema/schema-admin.ts';
import { readFile } from './validate-listeners.ts';

export function checkAdmin(context: CheckContext): void {
  const { admin } = context.config;
  if (!admin) return;
  checkReach(admin, context);
  checkTls(admin, context);
  checkTokens(admin, context);
}

/** Requires authentication where other machines can reach the API, because it can drain every endpoint. */
function checkReach(admin: AdminConfig, context: CheckContext): void {
  const { bind, tls } = admin;
  const path = ['admin', 'bind'];
  if (bind.kind !== 'tcp' || isLoopback(bind.host)) return;
  const hasTokens = admin.token !== undefined || admin.tokens !== undefined;
  if (hasTokens && tls === undefined) {
    const message = `tokens are sent to ${formatBindAddress(bind)} in clear text, readable on the network: add admin.tls`;
    context.report({ code: 'FL9021', message, path });
  }
  if (hasTokens || tls?.clientCa !== undefined) return;
  const advice =
    'the admin API can drain endpoints; set admin.token or admin.tls.clientCa, or bind 127.0.0.1:9900, [::1]:9900 or unix:/path';
  const message = `${formatBindAddress(bind)} is reachable from other machines without authentication: ${advice}`;
  context.report({ code: 'FL3010', message, path });
}

function checkTls({ tls }: AdminConfig, context: CheckContext): void {
  if (tls === undefined) return;
  const paths = { cert: ['admin', 'tls', 'cert'], key: ['admin', 'tls', 'key'], ca: ['admin', 'tls', 'clientCa'] };
  const cert = readFile(tls.cert, paths.cert, context);
  const key = readFile(tls.key, paths.key, context);
  if (cert !== null && key !== null) {
    for (const { code, part, message } of checkCertificate(cert, key, context.wallMs)) {
      context.report({ code, message: `${tls[part]} ${message}`, path: paths[part] });
    }
  }
  const ca = tls.clientCa === undefined ? null : readFile(tls.clientCa, paths.ca, context);
  if (ca === null || readCertificates(ca) !== null) return;
  const message = `${tls.clientCa} contains no certificate: a PEM file with BEGIN CERTIFICATE is required`;
  context.report({ code: 'FL4002', message, path: paths.ca });
}

function checkTokens(admin: AdminConfig, context: CheckContext): void {
  for (const [index, { token, file }] of (admin.tokens ?? []).entries()) {
    const path = ['admin', 'tokens', index];
    if (token === undefined && file === undefined) {
      context.report({
        code: 'FL2002',
        message: 'a token needs one of token and file, for example file: ops.token',
        path,
      });
    } else if (token !== undefined && file !== undefined) {
      const message = 'token and file both give the token: remove one of them';
      context.report({ code: 'FL3007', message, path: [...path, 'file'], part: 'key' });
    } else if (file !== undefined) readFile(file, [...path, 'file'], context);
  }
  const texts = context.files.texts();
  const named = adminTokens(admin, texts);
  checkSame(named, context);
  for (const { token, path } of named) if (token !== null) checkText(token, path, context);
}

/** Reports duplicate names and tokens: with them, changes can't be attributed to their author. */
function checkSame(named: readonly NamedToken[], context: CheckContext): void {
  for (const [index, one] of named.entries()) {
    const earlier = named.slice(0, index);
    const sameName = earlier.find(({ name }) => name === one.name);
    const sameText = earlier.find(({ token }) => token !== null && token === one.token);
    if (sameName !== undefined) {
      const message = `two tokens have the name ${quoted(one.name)}: token names must be unique`;
      context.report({ code: 'FL3003', message, path: [...one.path.slice(0, 3), 'name'] });
    } else if (sameText !== undefined) {
      const message = `${one.name} and ${sameText.name} have the same token: changes could not be attributed to one of them`;
      context.report({ code: 'FL3003', message, path: one.path });
    }
  }
}

function checkText(token: string, path: KeyPath, context: CheckContext): void {
  if (isSendable(token)) return;
  const message =
    token.length < 16
      ? `a token needs at least 16 characters, this one has ${token.length}: generate one with openssl rand -base64 24`
      : 'a token must be printable ASCII without spaces: other characters cannot be sent in a header field';
  context.report({ code: 'FL2006', message, path });
}
