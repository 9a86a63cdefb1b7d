// The faults that the HTTP/1.1 codec reports: one closed list of numbers, each with a name, the status for a request, and
// whether the general path should serve it. Thread: both.

/**
 * Numbers from 1, so that a scan can return a plain number. In message order: start line, fields, framing, body. Parallel
 * to `ROWS`.
 */
export const CodecError = {
  // Legal, but served by the general path.
  ABSOLUTE_FORM: 1,
  ASTERISK_FORM: 2,
  CONNECT_METHOD: 3,
  HTTP_1_0: 4,
  /** HTTP/1.2 to 1.9: lowered to 1.1 by request-scan.ts before anything else sees the head. */
  LATER_HTTP_1: 5,
  HTTP_2_PREFACE: 6,
  // Start line.
  BAD_METHOD: 7,
  METHOD_TOO_LONG: 8,
  BAD_REQUEST_LINE: 9,
  BAD_TARGET: 10,
  FRAGMENT_IN_TARGET: 11,
  TARGET_TOO_LONG: 12,
  BAD_VERSION: 13,
  VERSION_NOT_SUPPORTED: 14,
  BAD_STATUS_LINE: 15,
  BAD_STATUS_CODE: 16,
  STATUS_LINE_TOO_LONG: 17,
  // Lines and fields.
  BARE_CR: 18,
  BARE_LF: 19,
  FOLDED_LINE: 20,
  EMPTY_NAME: 21,
  SPACE_AFTER_NAME: 22,
  BAD_NAME: 23,
  MISSING_COLON: 24,
  BAD_VALUE: 25,
  TOO_MANY_FIELDS: 26,
  HEAD_TOO_LARGE: 27,
  MISSING_HOST: 28,
  REPEATED_HOST: 29,
  BAD_HOST: 30,
  // Framing and connection options.
  BAD_CONTENT_LENGTH: 31,
  REPEATED_CONTENT_LENGTH: 32,
  LENGTH_WITH_CODING: 33,
  BAD_TRANSFER_CODING: 34,
  UNKNOWN_TRANSFER_CODING: 35,
  CODING_IN_HTTP_1_0: 36,
  BAD_CONNECTION_OPTION: 37,
  TOO_MANY_CONNECTION_OPTIONS: 38,
  FORBIDDEN_NOMINATION: 39,
  UNREQUESTED_SWITCH: 40,
  // Chunked bodies.
  BAD_CHUNK_SIZE: 41,
  CHUNK_TOO_LARGE: 42,
  BAD_CHUNK_EXTENSION: 43,
  CHUNK_LINE_TOO_LONG: 44,
  BAD_CHUNK_END: 45,
  TRAILERS_TOO_LARGE: 46,
  // Last, so that the numbers before it stay.
  UNKNOWN_EXPECTATION: 47,
} as const;
export type CodecError = (typeof CodecError)[keyof typeof CodecError];

/** Facts about an error. */
export interface CodecErrorRow {
  /** For logs and counters; stable. */
  readonly name: string;
  /** The status for a request with this fault. A response with it becomes a 502. */
  readonly status: number;
  /** Whether the request is legal but rare: the general path serves or refuses it. */
  readonly isHandedOff: boolean;
}

const ROWS: readonly (readonly [name: string, status: number])[] = [
  ['absolute-form', 0],
  ['asterisk-form', 0],
  ['connect-method', 0],
  ['http-1.0', 0],
  ['later-http-1', 0],
  ['http-2-preface', 0],
  ['bad-method', 400],
  ['method-too-long', 501],
  ['bad-request-line', 400],
  ['bad-target', 400],
  ['fragment-in-target', 400],
  ['target-too-long', 414],
  ['bad-version', 400],
  ['version-not-supported', 505],
  ['bad-status-line', 502],
  ['bad-status-code', 502],
  ['status-line-too-long', 502],
  ['bare-cr', 400],
  ['bare-lf', 400],
  ['folded-line', 400],
  ['empty-name', 400],
  ['space-after-name', 400],
  ['bad-name', 400],
  ['missing-colon', 400],
  ['bad-value', 400],
  ['too-many-fields', 431],
  ['head-too-large', 431],
  ['missing-host', 400],
  ['repeated-host', 400],
  ['bad-host', 400],
  ['bad-content-length', 400],
  ['repeated-content-length', 400],
  ['length-with-coding', 400],
  ['bad-transfer-coding', 400],
  ['unknown-transfer-coding', 501],
  ['coding-in-http-1.0', 400],
  ['bad-connection-option', 400],
  ['too-many-connection-options', 400],
  ['forbidden-nomination', 400],
  ['unrequested-switch', 502],
  ['bad-chunk-size', 400],
  ['chunk-too-large', 413],
  ['bad-chunk-extension', 400],
  ['chunk-line-too-long', 400],
  ['bad-chunk-end', 400],
  ['trailers-too-large', 431],
  ['unknown-expectation', 417],
];

/** The row of each error, by number; index 0 means none. A status of 0 means a hand-off. */
export const CODEC_ERRORS: readonly CodecErrorRow[] = [
  { name: 'none', status: 0, isHandedOff: false },
  ...ROWS.map(([name, status]) => ({ name, status, isHandedOff: status === 0 })),
];
