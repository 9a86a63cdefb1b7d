// Which responses may be compressed: by type, size, coding and directives (RFC 9110 sections 7.7 and 8.4, RFC 9111 section
// 5.2.2.6). Thread: both.

/** A media type, or a pattern such as `text/*` and `application/*+json`, as what precedes and follows the `*`. */
export interface TypePattern {
  readonly before: string;
  readonly after: string;
  readonly isExact: boolean;
}

/** Compiled rules. */
export interface CompressibleRules {
  readonly types: readonly TypePattern[];
  /** Shorter bodies are sent as they are. */
  readonly minBytes: number;
}

/** Fields of a message, edits applied. @param name lower case */
type FieldReader = (name: string) => string | undefined;

/** Digests cover the bytes of the coded body: another coding would make them wrong (RFC 9530). */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'];
const NO_TRANSFORM = /(?:^|[\s,])no-transform(?:$|[\s,])/i;

export function typePatternOf(type: string): TypePattern {
  const [before = '', after = ''] = type.toLowerCase().split('*');
  return { before, after, isExact: !type.includes('*') };
}

/** Whether a response may be compressed, whatever its length is. */
export function isCompressible(status: number, field: FieldReader, types: readonly TypePattern[]): boolean {
  // 206 has a part of a body, whose bytes are counted in the coding that the endpoint chose.
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  const coding = field('content-encoding');
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return false;
  if (field('content-range') !== undefined || NO_TRANSFORM.test(field('cache-control') ?? '')) return false;
  const type = mediaTypeOf(field('content-type'));
  return isListed(type, types) && !isStreamed(type) && DIGESTS.every((name) => field(name) === undefined);
}

/** Whether the client forbids changes of the response (RFC 9111 section 5.2.1.6). */
export function forbidsTransform(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && NO_TRANSFORM.test(cacheControl);
}

/** Events must not wait in a compressor, and gRPC has its own compression. */
function isStreamed(type: string): boolean {
  return type === 'text/event-stream' || type.startsWith('application/grpc');
}

function isListed(type: string, types: readonly TypePattern[]): boolean {
  for (const { before, after, isExact } of types) {
    if (isExact ? type === before : type.startsWith(before) && type.endsWith(after)) return true;
  }
  return false;
}

/** Type and subtype in lower case, without parameters; '' where there is none. */
function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return '';
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Whether Vary does not name a field yet. @param name lower case */
export function lacksVary(vary: string | undefined, name: string): boolean {
  if (vary === undefined) return true;
  return !vary
    .toLowerCase()
    .split(',')
    .some((one) => one.trim() === name || one.trim() === '*');
}

/** The entity tag as a weak one: two codings of a body are not the same bytes (RFC 9110 section 8.8.1). */
export function weakTag(tag: string): string {
  return tag.startsWith('W/') ? tag : `W/${tag}`;
}
