// Where a log goes: opens a file, standard output or standard error, and knows how to write to it without holding up
// the thread and without tearing lines of several workers apart. Thread: both.

import fs from 'node:fs';

/** An open descriptor and its manner of writing. */
export interface LogSink {
  readonly fd: number;
  /** Whether it was opened here, and so is closed here. */
  readonly isOwned: boolean;
  /**
   * Whether writes never wait (O_NONBLOCK), so that they are made at once. Other writes go through the thread pool: a
   * disk or a reader that stalls must not stall the event loop.
   */
  readonly isNonblocking: boolean;
  /** Most bytes for one write. */
  readonly writeBytes: number;
}

/** Stands where a sink was, after the end. */
export const NO_SINK: LogSink = { fd: -1, isOwned: false, isNonblocking: true, writeBytes: 0 };

/** PIPE_BUF on Linux: what a pipe takes in one piece, whoever else writes to it (POSIX write()). */
const PIPE_ATOMIC_BYTES = 4096;

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** Readable by its group, as system logs are: they hold addresses of clients. */
const LOG_MODE = 0o640;

/**
 * Opens 'stdout', 'stderr' or a file's path, for appending. A named pipe without a reader is refused (ENXIO) instead
 * of waited for. @throws Error of the system with its code
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
 * A pipe or terminal behind a standard descriptor is opened once more through /proc, since O_NONBLOCK on the
 * descriptor itself would show in every process that shares it. A file is not: it has a position that is shared.
 */
function standardSink(fd: number): LogSink {
  const kind = fs.fstatSync(fd);
  const shared = { fd, isOwned: false, isNonblocking: false };
  if (kind.isFile()) return { ...shared, writeBytes: Number.POSITIVE_INFINITY };
  if (process.platform === 'linux' && (kind.isFIFO() || kind.isCharacterDevice())) {
    try {
      return describeOwned(fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY));
    } catch {
      // Not ours to open (another user's terminal): write to it as it is.
    }
  }
  return { ...shared, writeBytes: PIPE_ATOMIC_BYTES };
}

/** Closes what `openSink` opened; errors change nothing any more. */
export function closeSink(sink: LogSink): void {
  if (!sink.isOwned) return;
  try {
    fs.closeSync(sink.fd);
  } catch {
    // The descriptor is gone already.
  }
}
