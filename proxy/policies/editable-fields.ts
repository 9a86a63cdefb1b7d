// Which fields policies may edit, and why not the others. Thread: both.

/** The message whose fields are edited. */
export type FieldDirection = 'request' | 'response';

/** Fields of one connection or of framing: changing them would let one message be read as two (request smuggling). */
const FRAMING_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Forwarding fields: only Fairlead may send them to an endpoint. A client that does poses as somebody else. */
export const FORWARDED_NAMES = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
] as const;
export const REQUEST_ID_NAME = 'x-request-id';

/** Fields that Fairlead sets itself: a second line of the same name would contradict the first. */
const OWN_FIELDS: ReadonlySet<string> = new Set([...FORWARDED_NAMES, REQUEST_ID_NAME]);

/** The reason why a field can't be edited; null if it can. @param name lower case */
export function reasonAgainstEdit(name: string, direction: FieldDirection): string | null {
  if (FRAMING_FIELDS.has(name)) return 'it belongs to the connection, which Fairlead manages';
  if (direction === 'response') return null;
  if (name === 'host') return 'use the key host of the route';
  if (name === 'expect') return 'it belongs to the connection, which Fairlead manages';
  return OWN_FIELDS.has(name) ? 'Fairlead sets it to describe the client' : null;
}
