// Checks of listeners: names, addresses, certificates, limits. Thread: main.

import { placeOf } from '../files/referenced-files.ts';
import { parseCidr } from '../../core/cidr.ts';
import type { BindAddress } from '../../core/snapshot/listener.ts';
import { formatBindAddress } from '../../net/host-port.ts';
import { checkCertificate } from '../files/certificate.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import { checkCertificateSources } from './validate-acme.ts';
import { formatPath, type KeyPath } from '../problems/problem.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import { formatSize } from '../values/quantity.ts';
import { FIELD_NAMES } from '../../proxy/http1/field-kind.ts';
import { reasonAgainstEdit } from '../../proxy/policies/editable-fields.ts';
import { redirectsToHttps } from '../../proxy/policies/redirect-to-https.ts';
import { checkKeyFile } from './validate-secrets.ts';

export function checkListeners(context: CheckContext): void {
  checkNames(context);
  checkBinds(context);
  for (const [index, listener] of context.config.listeners.entries()) {
    if (listener === null) continue;
    checkTls(listener, ['listeners', index, 'tls'], context);
    checkCertificateSources(listener, ['listeners', index, 'tls'], context);
    checkRequestLine(listener.limits, ['listeners', index, 'limits'], context);
    checkRedirect(listener, index, context);
    checkTrustedOnly(listener, index, context);
    checkHttp2(listener, index, context);
    checkProxyProtocol(listener, index, context);
  }
  checkRequestLine({}, ['limits'], context);
}

function checkNames(context: CheckContext): void {
  const seen = new Map<string, number>();
  for (const [index, listener] of context.config.listeners.entries()) {
    if (listener === null) continue;
    const first = seen.get(listener.name);
    if (first === undefined) {
      seen.set(listener.name, index);
      continue;
    }
    const path = ['listeners', index, 'name'];
    const other = context.tree.nameOf(['listeners', first], path);
    const message = `${other} is also named ${quoted(listener.name)}: listener names must be unique`;
    context.report({ code: 'FL3003', message, path });
  }
}

/** Reports duplicate addresses: two listeners on one address would share its connections at random. */
function checkBinds(context: CheckContext): void {
  const binds: { readonly bind: BindAddress; readonly path: KeyPath }[] = [];
  for (const [index, listener] of context.config.listeners.entries()) {
    if (listener !== null) binds.push({ bind: listener.bind, path: ['listeners', index, 'bind'] });
  }
  if (context.config.admin) binds.push({ bind: context.config.admin.bind, path: ['admin', 'bind'] });
  const seen = new Map<string, KeyPath>();
  for (const { bind, path } of binds) {
    if (bind.kind === 'tcp' && bind.port === 0) continue;
    const key = formatBindAddress(isWildcard(bind) ? { ...bind, host: '' } : bind);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else {
      const message = `${formatBindAddress(bind)} is already bound by ${formatPath(first)}: an address can be bound only once`;
      context.report({ code: 'FL3004', message, path });
    }
  }
}

/** `::` accepts IPv4 as well, so it conflicts with `0.0.0.0`. */
function isWildcard(bind: BindAddress): bind is BindAddress & { kind: 'tcp' } {
  return bind.kind === 'tcp' && ['', '0.0.0.0', '::'].includes(bind.host);
}

function checkTls(listener: ListenerConfig, path: KeyPath, context: CheckContext): void {
  for (const [index, { cert, key }] of (listener.tls?.certificates ?? []).entries()) {
    const parts = { cert: [...path, 'certificates', index, 'cert'], key: [...path, 'certificates', index, 'key'] };
    const certText = readFile(cert, parts.cert, context);
    const keyText = readFile(key, parts.key, context);
    checkKeyFile(key, parts.key, context);
    if (certText === null || keyText === null) continue;
    for (const { code, part, message } of checkCertificate(certText, keyText, context.wallMs)) {
      context.report({ code, message: `${part === 'cert' ? cert : key} ${message}`, path: parts[part] });
    }
  }
}

/** Text of a referenced file, or null after reporting that it can't be read. */
export function readFile(name: string, path: KeyPath, context: CheckContext): string | null {
  const outcome = context.files.read(name);
  if (outcome.ok) return outcome.text;
  context.report({ code: 'FL4001', message: `${name} ${outcome.reason}${placeOf(name, context.directory)}`, path });
  return null;
}

/** A listener with TLS has nothing to redirect: its clients use HTTPS. */
function checkRedirect(listener: ListenerConfig, index: number, context: CheckContext): void {
  if (listener.tls === undefined || !redirectsToHttps(listener)) return;
  const message = `listener ${quoted(listener.name)} has TLS: set redirectToHttps on the listener for plain HTTP`;
  context.report({ code: 'FL3007', message, path: ['listeners', index, 'redirectToHttps'], part: 'key' });
}

/** A field that the connection or routing depends on can't be removed. */
function checkTrustedOnly({ trustedOnlyFields }: ListenerConfig, index: number, context: CheckContext): void {
  for (const [at, written] of trustedOnlyFields.entries()) {
    const name = written.toLowerCase();
    const covered = name.endsWith('*') ? FIELD_NAMES.filter((one) => one.startsWith(name.slice(0, -1))) : [name];
    const kept = covered.find((one) => one !== '' && isFraming(one));
    if (kept === undefined) continue;
    const what = kept === name ? quoted(written) : `${quoted(written)} covers ${quoted(kept)}, and that field`;
    const message = `${what} cannot be removed: it belongs to the connection`;
    context.report({ code: 'FL3009', message, path: ['listeners', index, 'trustedOnlyFields', at] });
  }
}

/** With TLS, clients negotiate the protocol by ALPN. */
function checkHttp2({ http2, tls }: ListenerConfig, index: number, context: CheckContext): void {
  if (!http2 || tls === undefined) return;
  const message = 'http2 is for listeners without TLS: with tls, use tls.http2, which is true by default';
  context.report({ code: 'FL3007', message, path: ['listeners', index, 'http2'], part: 'key' });
}

/** A sender of headers can pose as any client: some address must be trusted, and not every one. */
function checkProxyProtocol(listener: ListenerConfig, index: number, context: CheckContext): void {
  const { bind, proxyProtocol, trustedProxies } = listener;
  if (proxyProtocol === undefined || proxyProtocol === false || bind.kind === 'unix') return;
  const path = ['listeners', index, 'proxyProtocol'];
  const trusted = proxyProtocol.trusted ?? trustedProxies;
  if (trusted.length === 0) {
    const message =
      'proxyProtocol trusts no address, so that no header would be accepted: set proxyProtocol.trusted to the addresses of the balancers in front of Fairlead';
    context.report({ code: 'FL3008', message, path });
    return;
  }
  const every = trusted.find((block) => parseCidr(block)?.prefixBits === 0);
  if (every === undefined) return;
  const message = `proxyProtocol trusts ${quoted(every)}, which is every address: whoever can connect can pose as any client`;
  context.report({ code: 'FL9028', message, path });
}

function isFraming(name: string): boolean {
  return name === 'host' || name === 'expect' || reasonAgainstEdit(name, 'response') !== null;
}

type Limits = NonNullable<ListenerConfig['limits']>;

/** Checks that the request line, which is part of the head, fits into it. */
function checkRequestLine(own: Limits | undefined, path: KeyPath, context: CheckContext): void {
  const { limits } = context.config;
  if (own === undefined || limits === null) return;
  const head = own.head ?? limits.head;
  const line = own.requestLine ?? limits.requestLine;
  if (line <= head) return;
  const message = `a request line of ${formatSize(line)} does not fit into a head of ${formatSize(head)}: requestLine must not exceed head`;
  const key = context.tree.valueAt([...path, 'requestLine']) === undefined ? 'head' : 'requestLine';
  context.report({ code: 'FL3008', message, path: [...path, key] });
}
