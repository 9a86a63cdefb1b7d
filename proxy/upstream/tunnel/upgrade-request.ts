// Builds the Upgrade request for an endpoint, and selects the fields of its answer that are relayed. Thread: worker.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AttemptRequest, HeadChanges, UpgradeRequest } from '../../../core/exchange-contract.ts';
import { UNKNOWN_LENGTH, type FieldList, type ResponseHead } from '../../../core/head.ts';
import { fieldLines, isFieldName, isFieldValue, isTarget } from '../../http1/field-line.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import type { SocketUpgrade } from '../../wire/socket-upgrade.ts';
import { requestFields } from '../request-encoder.ts';

/** Connection-specific and framing fields: regenerated where they are needed. */
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

/** Content-Length: up to 15 significant digits are a safe integer. */
export const LENGTH = /^0*\d{1,15}$/;

/** The elements of an Upgrade field, in lower case. */
export function protocolsOf(upgrade: string | undefined): string[] {
  return (upgrade ?? '').split(',').map((item) => item.trim().toLowerCase());
}

/** The reason why the request can't be sent as an Upgrade, or null. */
export function unsendableUpgrade(upgrade: UpgradeRequest, request: AttemptRequest): string | null {
  const { method, bodyLength } = request.head;
  const target = request.target ?? request.head.target;
  const { protocols } = upgrade;
  if (protocols === '' || !isFieldValue(protocols)) return 'the Upgrade field names no valid protocol';
  // One side would read a body as the first bytes of the new protocol, the other would not.
  if (bodyLength !== 0) return 'an Upgrade request may not have a body';
  if (method === 'CONNECT' || method === 'HEAD' || !isFieldName(method)) {
    return 'the method may not be used with Upgrade';
  }
  return target.startsWith('/') && isTarget(target) ? null : 'the target is not in origin-form';
}

/**
 * Replaces the fields and target of http-proxy-3's request, which has copied hop-by-hop fields, folded repeated ones
 * and normalised the path.
 * @throws TypeError if a field can't be sent
 */
export function replaceRequest(sent: ClientRequest, upgrade: UpgradeRequest, request: AttemptRequest): void {
  const fields = requestFields(request);
  fields.push('Connection', 'Upgrade', 'Upgrade', upgrade.protocols);
  for (const name of sent.getHeaderNames()) sent.removeHeader(name);
  for (let index = 0; index < fields.length; index += 2) sent.appendHeader(fields[index]!, fields[index + 1]!);
  sent.path = request.target ?? request.head.target;
}

/** The end-to-end fields of an answer: neither connection-specific nor nominated by Connection (RFC 9110 7.6.1). */
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

/** A response to an Upgrade request, as the exchange sees it. */
export class UpgradeResponseHead implements ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly bodyLength: number;
  readonly hasLength: boolean;
  readonly #answer: IncomingMessage;

  constructor(answer: IncomingMessage) {
    this.#answer = answer;
    this.status = answer.statusCode ?? 0;
    this.reason = answer.statusMessage ?? '';
    const length = answer.headers['content-length'] ?? '';
    this.hasLength = this.status >= 200 && this.status !== 204 && LENGTH.test(length);
    this.bodyLength = this.hasLength ? Number(length) : this.status < 200 || this.status === 204 ? 0 : UNKNOWN_LENGTH;
  }

  field(name: string): string | undefined {
    const value = this.#answer.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  endToEndFields(): FieldList {
    return passedFields(this.#answer);
  }
}

/** The end-to-end fields of a response with the exchange's changes. */
export function changedFields(fields: FieldList, { inserted, removed }: HeadChanges): FieldList {
  const kept = fields.filter((_, at) => !removed.has(fields[at & ~1]!.toLowerCase()));
  return [...kept, ...inserted];
}

/** Whether no field or reason phrase of a response could split it when it is written again. */
export function isRelayable(answer: IncomingMessage): boolean {
  const fields = passedFields(answer);
  return (
    isFieldValue(answer.statusMessage ?? '') &&
    fields.every((text, at) => (at % 2 === 0 ? isFieldName : isFieldValue)(text))
  );
}

/** Whether the endpoint switched to a protocol that was requested. */
export function isRequestedSwitch(answer: IncomingMessage, request: UpgradeRequest): boolean {
  const protocol = answer.headers.upgrade ?? '';
  const offered = protocolsOf(request.protocols);
  return answer.statusCode === 101 && protocol !== '' && protocolsOf(protocol).every((item) => offered.includes(item));
}

/** The reason why a response other than a switch can't be relayed, or null. */
export function faultOfRefusal(status: number, { isConnect }: SocketUpgrade): EndpointError | null {
  // node:http emits a 101 without an Upgrade field as an ordinary response.
  if (status < 200) return new EndpointError('malformed-response', 'the endpoint sent a 101 that names no protocol');
  // A server may ignore an Upgrade (RFC 9110 section 7.8); the client would read its response as bytes of the tunnel.
  const isTaken = isConnect && status < 300;
  return isTaken ? new EndpointError('upgrade-unsupported', `answered an Upgrade by status ${status}`) : null;
}

/** The head of the 101 for the client. http-proxy-3 would write it unchecked. @param answer relayable */
export function switchingHead(answer: IncomingMessage, changes: HeadChanges): string {
  const protocol = answer.headers.upgrade ?? '';
  const fields = changedFields(passedFields(answer), changes);
  const lines = fieldLines([...fields, 'Connection', 'Upgrade', 'Upgrade', protocol]);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`;
}
