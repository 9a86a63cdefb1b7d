// Destination of log lines: a file or stream (log-destination.ts), or a syslog server (syslog-destination.ts). Thread: both.

import type { Timers } from '../../core/timers.ts';
import type { LogTrouble } from './log-trouble.ts';

export interface LineDestination {
  /** Appends a line, which ends in a line feed. Never throws and never waits. */
  append(line: string): void;
  /** Counts lost lines. @param code see LogTrouble */
  lose(code: string, lines: number): void;
  /** Reopens a file after a log rotation. */
  reopen(): void;
  /** Writes what can be written before it returns: for a thread that is about to end. */
  flushNow(): void;
  /** Writes buffered lines, waiting at most a second, and closes. Later lines are dropped. */
  close(): Promise<void>;
}

export interface DestinationParts {
  readonly timers: Timers;
  /** Receives reports of lost lines and of a file that could not be reopened: at once, then at most once a minute. */
  readonly onTrouble: (trouble: LogTrouble) => void;
  /** Receives every loss at once: for counters. */
  readonly onLost?: (lines: number) => void;
}
