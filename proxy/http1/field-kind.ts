// Numbers for the fields that a proxy treats specially, recognised by the bytes of their names. Thread: both.

/**
 * Numbers from 1 to 30, so that a set of kinds fits the bits of one small integer. 0 stands for every other field.
 */
export const FieldKind = {
  OTHER: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  CONNECTION: 4,
  KEEP_ALIVE: 5,
  PROXY_CONNECTION: 6,
  UPGRADE: 7,
  TE: 8,
  TRAILER: 9,
  EXPECT: 10,
  PROXY_AUTHENTICATE: 11,
  PROXY_AUTHORIZATION: 12,
  X_FORWARDED_FOR: 13,
  X_FORWARDED_PROTO: 14,
  X_FORWARDED_HOST: 15,
  X_FORWARDED_PORT: 16,
  /** Any other field whose name begins with X-Forwarded-. */
  X_FORWARDED_OTHER: 17,
  FORWARDED: 18,
  X_REAL_IP: 19,
  X_REQUEST_ID: 20,
  VIA: 21,
  DATE: 22,
  SERVER: 23,
  COOKIE: 24,
  SET_COOKIE: 25,
  CONTENT_TYPE: 26,
  USER_AGENT: 27,
  REFERER: 28,
  IDEMPOTENCY_KEY: 29,
  MAX_FORWARDS: 30,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/** How many kinds there are, OTHER included. */
export const FIELD_KIND_COUNT = 31;

/** Lower-case name of each kind; '' if the kind has no single name. */
export const FIELD_NAMES: readonly string[] = [
  '',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'proxy-authenticate',
  'proxy-authorization',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  '',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'via',
  'date',
  'server',
  'cookie',
  'set-cookie',
  'content-type',
  'user-agent',
  'referer',
  'idempotency-key',
  'max-forwards',
];

/** The bits of a set of kinds: `(set >>> kind) & 1`. OTHER can't be in a set. */
export function kindSet(...kinds: readonly FieldKind[]): number {
  return kinds.reduce((set: number, kind) => (kind === 0 ? set : set | (1 << kind)), 0);
}

/** Connection-specific fields, named in Connection or not (RFC 9110 section 7.6.1). */
export const HOP_BY_HOP_KINDS = kindSet(
  FieldKind.CONNECTION,
  FieldKind.KEEP_ALIVE,
  FieldKind.PROXY_CONNECTION,
  FieldKind.UPGRADE,
  FieldKind.TE,
  FieldKind.TRANSFER_ENCODING,
);

/** Credentials between a client and a forward proxy: not forwarded (RFC 9110 section 11.7). */
export const PROXY_AUTH_KINDS = kindSet(FieldKind.PROXY_AUTHENTICATE, FieldKind.PROXY_AUTHORIZATION);

/** Fields in which a client may forge its origin; replaced for an untrusted peer. */
export const FORWARDING_KINDS = kindSet(
  FieldKind.X_FORWARDED_FOR,
  FieldKind.X_FORWARDED_PROTO,
  FieldKind.X_FORWARDED_HOST,
  FieldKind.X_FORWARDED_PORT,
  FieldKind.X_FORWARDED_OTHER,
  FieldKind.FORWARDED,
  FieldKind.X_REAL_IP,
);

const FORWARDED_PREFIX = 'x-forwarded-';
const LONGEST_NAME = 31;
const NAME_BYTES: readonly Uint8Array[] = FIELD_NAMES.map((name, kind) =>
  Buffer.from(kind === FieldKind.X_FORWARDED_OTHER ? FORWARDED_PREFIX : name, 'latin1'),
);

/** By length and the low five bits of the first letter: the first kind to compare with. 0: none. */
const FIRST_CANDIDATE = new Uint8Array((LONGEST_NAME + 1) << 5);
/** By kind: the next kind that shares its slot in FIRST_CANDIDATE; X_FORWARDED_OTHER is the last candidate. */
const NEXT_CANDIDATE = new Uint8Array(FIELD_KIND_COUNT);
buildCandidates();

function buildCandidates(): void {
  for (let length = FORWARDED_PREFIX.length + 1; length <= LONGEST_NAME; length += 1) {
    FIRST_CANDIDATE[slotOf(length, FORWARDED_PREFIX.charCodeAt(0))] = FieldKind.X_FORWARDED_OTHER;
  }
  for (const [kind, name] of FIELD_NAMES.entries()) {
    if (name === '') continue;
    const slot = slotOf(name.length, name.charCodeAt(0));
    NEXT_CANDIDATE[kind] = FIRST_CANDIDATE[slot]!;
    FIRST_CANDIDATE[slot] = kind;
  }
}

function slotOf(length: number, firstByte: number): number {
  return (length << 5) | (firstByte & 31);
}

/**
 * The kind of the field whose name is in `bytes` from `start` to `end`; FieldKind.OTHER if it has none.
 * The name must be a token: only then does setting bit 0x20 fold nothing but letters.
 */
export function recogniseField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST_NAME) return recogniseLong(bytes, start);
  let kind = FIRST_CANDIDATE[slotOf(length, bytes[start]!)]!;
  while (kind !== 0 && !startsWithName(bytes, start, NAME_BYTES[kind]!)) kind = NEXT_CANDIDATE[kind]!;
  return kind;
}

function recogniseLong(bytes: Uint8Array, start: number): number {
  const isForwarded = startsWithName(bytes, start, NAME_BYTES[FieldKind.X_FORWARDED_OTHER]!);
  return isForwarded ? FieldKind.X_FORWARDED_OTHER : FieldKind.OTHER;
}

/** Compares ignoring case; `name` is lower case and the compared bytes belong to a token. */
function startsWithName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at += 1) {
    if ((bytes[start + at]! | 0x20) !== name[at]!) return false;
  }
  return true;
}

const KIND_OF_NAME: ReadonlyMap<string, number> = new Map(
  FIELD_NAMES.flatMap((name, kind): [string, number][] => (name === '' ? [] : [[name, kind]])),
);

/** The kind of a lower-case field name; FieldKind.OTHER if it has none. For names from the configuration. */
export function kindOfName(name: string): number {
  const kind = KIND_OF_NAME.get(name);
  if (kind !== undefined) return kind;
  return name.startsWith(FORWARDED_PREFIX) && name.length > FORWARDED_PREFIX.length ? FieldKind.X_FORWARDED_OTHER : 0;
}
