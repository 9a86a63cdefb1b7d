// The request that asks an endpoint to switch protocols, and what of its answer may be passed on. Thread: worker.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AttemptRequest, UpgradeRequest } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import { fieldLines, isFieldName, isFieldValue, isTarget } from '../../http1/field-line.ts';
import { requestFields } from '../undici/request-fields.ts';

/** Fields of one connection, and framing: made anew where they are needed. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'proxy-authenticate',
  'trailer',
]);

/** The protocols asked for, in lower case. */
function protocolsOf(upgrade: string | undefined): string[] {
  return (upgrade ?? '').split(',').map((item) => item.trim().toLowerCase());
}

/** Why the request can't be sent as an Upgrade; null where it can. */
export function unsendableUpgrade(upgrade: UpgradeRequest, request: AttemptRequest): string | null {
  const { method, target, bodyLength } = request.head;
  const protocols = upgrade.message.headers.upgrade ?? '';
  if (protocols === '' || !isFieldValue(protocols)) return 'no protocol is asked for';
  // A body would be read as the first bytes of the new protocol by one side and not by the other.
  if (bodyLength !== 0) return 'an Upgrade with a body';
  if (method === 'CONNECT' || method === 'HEAD' || !isFieldName(method)) return 'no method for an Upgrade';
  return target.startsWith('/') && isTarget(target) ? null : 'the target is not in origin-form';
}

/**
 * Makes http-proxy-3's request ours: it has passed on hop-by-hop fields, folded repeated ones and normalised the path.
 * @throws TypeError where a field can't be sent
 */
export function replaceRequest(sent: ClientRequest, upgrade: UpgradeRequest, request: AttemptRequest): void {
  const fields = requestFields(request);
  fields.push('Connection', 'Upgrade', 'Upgrade', upgrade.message.headers.upgrade ?? '');
  for (const name of sent.getHeaderNames()) sent.removeHeader(name);
  for (let index = 0; index < fields.length; index += 2) sent.appendHeader(fields[index]!, fields[index + 1]!);
  sent.path = request.head.target;
}

/** The fields of an answer that pass: not those of the connection, nor what Connection nominates (RFC 9110 7.6.1). */
export function passedFields(answer: IncomingMessage): FieldList {
  const nominated = new Set(protocolsOf(answer.headers.connection));
  const { rawHeaders } = answer;
  const passed: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!NOT_PASSED.has(name) && !nominated.has(name)) passed.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return passed;
}

/**
 * The head of the 101 for the client. Null where the endpoint switched to something that nobody asked for.
 * @throws TypeError where a field of the answer could split it (http-proxy-3 would write it as it is)
 */
export function switchingHead(answer: IncomingMessage, asked: UpgradeRequest): string | null {
  const protocol = answer.headers.upgrade ?? '';
  const offered = protocolsOf(asked.message.headers.upgrade);
  const isAsked = protocol !== '' && protocolsOf(protocol).every((item) => offered.includes(item));
  if (answer.statusCode !== 101 || !isAsked) return null;
  const lines = fieldLines([...passedFields(answer), 'Connection', 'Upgrade', 'Upgrade', protocol]);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`;
}
