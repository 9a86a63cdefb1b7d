// Log sinks: opens a file, standard output or standard error, and decides how to write to it without blocking the thread
// and without mixing lines of several workers. Thread: both.

import fs from 'node:fs';

/** An open descriptor, and how to write to it. */
export interface LogSink {
  readonly fd: number;
  /** Whether it was opened here, and must be closed here. */
  readonly isOwned: boolean;
  /**
   * Whether writes never block (O_NONBLOCK) and can be made on this thread. Others go through the thread pool: a disk or
   * reader that stalls must not stall the event loop.
   */
  readonly isNonblocking: boolean;
  /** Most bytes for one write. */
  readonly writeBytes: number;
}

/** In place of a sink that is closed. */
export const NO_SINK: LogSink = { fd: -1, isOwned: false, isNonblocking: true, writeBytes: 0 };

/** PIPE_BUF on Linux: a pipe writes this much atomically (POSIX write()). */
const PIPE_ATOMIC_BYTES = 4096;

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** Readable by the group only, as system logs are: lines contain addresses of clients. */
const LOG_MODE = 0o640;

/**
 * Opens 'stdout', 'stderr' or a file path for appending. A named pipe without a reader is refused (ENXIO), not waited
 * for. @throws Error of the system with its code
 */
export function openSink(output: string): LogSink {
  if (output === 'stdout') return standardSink(1);
  if (output === 'stderr') return standardSink(2);
  const fd = fs.openSync(output, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, LOG_MODE);
  return describeOwned(fd);
}

function describeOwned(fd: number): LogSink {
  const isFile = fs.fstatSync(fd).isFile();
  return {
    fd,
    isOwned: true,
    isNonblocking: !isFile,
    writeBytes: isFile ? Number.POSITIVE_INFINITY : PIPE_ATOMIC_BYTES,
  };
}

/**
 * Opens a pipe or terminal behind a standard descriptor a second time through /proc, because O_NONBLOCK on the
 * descriptor itself would affect every process that shares it. Not a file: its position is shared.
 */
function standardSink(fd: number): LogSink {
  const kind = fs.fstatSync(fd);
  const shared = { fd, isOwned: false, isNonblocking: false };
  if (kind.isFile()) return { ...shared, writeBytes: Number.POSITIVE_INFINITY };
  if (process.platform === 'linux' && (kind.isFIFO() || kind.isCharacterDevice())) {
    try {
      return describeOwned(fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY));
    } catch {
      // No permission (another user's terminal): write to the descriptor itself.
    }
  }
  return { ...shared, writeBytes: PIPE_ATOMIC_BYTES };
}

/** Closes a sink that `openSink` opened. Errors have no consequence. */
export function closeSink(sink: LogSink): void {
  if (!sink.isOwned) return;
  try {
    fs.closeSync(sink.fd);
  } catch {
    // The descriptor is closed already.
  }
}
