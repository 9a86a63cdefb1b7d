// SETTINGS of the peer (RFC 9113 section 6.5), parsed and checked. Thread: both.

import { ErrorCode } from './error-code.ts';
import { DEFAULT_MAX_FRAME_BYTES, readUint32 } from './frame-format.ts';

const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  /** RFC 8441 section 3. */
  ENABLE_CONNECT_PROTOCOL: 0x8,
} as const;

const SETTING_BYTES = 6;
/** The largest window, and the largest frame. */
const MAX_WINDOW_BYTES = 0x7fffffff;
const MAX_FRAME_BYTES = 0xffffff;
const UNLIMITED = 0xffffffff;

/** The peer's settings: what we may send. */
export class PeerSettings {
  headerTableBytes = 4096;
  maxConcurrentStreams = UNLIMITED;
  initialWindowBytes = 65_535;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  maxHeaderListBytes = UNLIMITED;
  enablesConnectProtocol = false;

  /**
   * Applies the payload of a SETTINGS frame, values in order; unknown ones are ignored.
   * @returns NO_ERROR, or the code of a connection error
   */
  apply(bytes: Uint8Array, start: number, end: number): ErrorCode {
    for (let at = start; at < end; at += SETTING_BYTES) {
      const error = this.#set((bytes[at]! << 8) | bytes[at + 1]!, readUint32(bytes, at + 2));
      if (error !== ErrorCode.NO_ERROR) return error;
    }
    return ErrorCode.NO_ERROR;
  }

  #set(setting: number, value: number): ErrorCode {
    switch (setting) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        break;
      case Setting.ENABLE_PUSH:
        return value > 1 ? ErrorCode.PROTOCOL_ERROR : ErrorCode.NO_ERROR;
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) return ErrorCode.FLOW_CONTROL_ERROR;
        this.initialWindowBytes = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES) return ErrorCode.PROTOCOL_ERROR;
        this.maxFrameBytes = value;
        break;
      case Setting.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListBytes = value;
        break;
      case Setting.ENABLE_CONNECT_PROTOCOL:
        return this.#setConnectProtocol(value);
      default:
    }
    return ErrorCode.NO_ERROR;
  }

  /** May not be taken back (RFC 8441 section 3). */
  #setConnectProtocol(value: number): ErrorCode {
    if (value > 1 || (this.enablesConnectProtocol && value === 0)) return ErrorCode.PROTOCOL_ERROR;
    this.enablesConnectProtocol = value === 1;
    return ErrorCode.NO_ERROR;
  }
}
