// Sends log lines to a syslog server: one datagram each over UDP (RFC 5426), or a stream over TCP or a Unix socket (RFC 6587).
// A server that is away or slow delays nothing: lines are dropped and counted, and memory stays bounded. Thread: both.

import dgram from 'node:dgram';
import net from 'node:net';
import os from 'node:os';
import { type SyslogSnapshot, FACILITIES, SEVERITIES } from '../../core/snapshot/snapshot.ts';
import type { TimerHandle } from '../../core/timers.ts';
import type { DestinationParts, LineDestination } from './line-destination.ts';
import { codeOf, LogTroubles } from './log-trouble.ts';

/** Most bytes that wait for a stream, as for files. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Most datagrams in the hands of the system. */
const MAX_DATAGRAMS = 1000;
/** Largest payload of a UDP datagram over IPv4. */
const MAX_DATAGRAM_BYTES = 65_507;
/** First and longest time in ms before another connection is tried. */
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 10_000;
/** Longest time in ms that `close` waits. */
const CLOSE_MS = 1000;

export interface SyslogOptions extends DestinationParts {
  readonly syslog: SyslogSnapshot;
  readonly wallMs: () => number;
}

/** Opens the destination of one worker. Never throws: failures are reported as lost lines. */
export function openSyslog(options: SyslogOptions): LineDestination {
  return options.syslog.transport === 'udp' ? new DatagramSyslog(options) : new StreamSyslog(options);
}

/** Losses, and the form of messages. */
abstract class Syslog {
  protected readonly options: SyslogOptions;
  protected readonly format: (line: string, wallMs: number) => string;
  readonly #troubles: LogTroubles;

  constructor(options: SyslogOptions) {
    this.options = options;
    this.format = syslogMessages(options.syslog, { hostname: os.hostname(), pid: process.pid });
    this.#troubles = new LogTroubles(options.syslog.name, options.timers, options.onTrouble);
  }

  lose(code: string, lines: number): void {
    this.options.onLost?.(lines);
    this.#troubles.add(code, lines);
  }

  reopen(): void {}

  flushNow(): void {
    this.#troubles.report();
  }
}

class DatagramSyslog extends Syslog implements LineDestination {
  readonly #socket: dgram.Socket;
  #sending = 0;
  #isClosed = false;
  #whenIdle: (() => void) | null = null;

  constructor(options: SyslogOptions) {
    super(options);
    this.#socket = dgram.createSocket(net.isIPv6(options.syslog.host) ? 'udp6' : 'udp4');
    // Errors of a datagram that was accepted, such as an ICMP "port unreachable".
    this.#socket.on('error', (error) => this.lose(codeOf(error), 0));
    this.#socket.unref();
  }

  append(line: string): void {
    const message = Buffer.from(this.format(line, this.options.wallMs()));
    if (this.#isClosed) return this.lose('CLOSED', 1);
    if (message.length > MAX_DATAGRAM_BYTES) return this.lose('TOO_LONG', 1);
    if (this.#sending >= MAX_DATAGRAMS) return this.lose('SLOW', 1);
    this.#sending += 1;
    const { host, port } = this.options.syslog;
    this.#socket.send(message, port, host, this.#onSent);
  }

  readonly #onSent = (error: Error | null): void => {
    this.#sending -= 1;
    if (error !== null) this.lose(codeOf(error), 1);
    if (this.#sending === 0) this.#whenIdle?.();
  };

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#sending > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.options.timers.after(CLOSE_MS, resolve);
        this.#whenIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#socket.close();
    this.flushNow();
  }
}

class StreamSyslog extends Syslog implements LineDestination {
  #socket: net.Socket | null = null;
  #isConnected = false;
  #isClosed = false;
  /** Messages that wait for the connection. */
  #waiting: string[] = [];
  #waitingBytes = 0;
  #retryMs = RETRY_FIRST_MS;
  #retry: TimerHandle | null = null;

  constructor(options: SyslogOptions) {
    super(options);
    this.#connect();
  }

  append(line: string): void {
    if (this.#isClosed) return this.lose('CLOSED', 1);
    const message = withOctetCount(this.format(line, this.options.wallMs()));
    const buffered = this.#waitingBytes + (this.#socket?.writableLength ?? 0);
    if (buffered + message.length > MAX_WAITING_BYTES) return this.lose('SLOW', 1);
    if (this.#isConnected) {
      this.#socket!.write(message);
      return;
    }
    this.#waiting.push(message);
    this.#waitingBytes += message.length;
  }

  #connect(): void {
    const { transport, host, port } = this.options.syslog;
    const socket = transport === 'unix' ? net.connect(host) : net.connect({ host, port });
    this.#socket = socket;
    socket.unref();
    socket.on('connect', () => this.#onConnect(socket));
    // Syslog has no answers; what comes is read and dropped, so that the end of the stream is seen.
    socket.resume();
    socket.on('error', (error) => this.lose(codeOf(error), 0));
    socket.on('close', () => this.#onClose(socket));
  }

  #onConnect(socket: net.Socket): void {
    this.#isConnected = true;
    this.#retryMs = RETRY_FIRST_MS;
    if (this.#waiting.length > 0) socket.write(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** The lines in the socket may be lost: the server confirms none, so that they are not sent twice. */
  #onClose(socket: net.Socket): void {
    if (this.#isConnected && socket.writableLength > 0) this.lose('ECONNRESET', 1);
    this.#isConnected = false;
    this.#socket = null;
    if (this.#isClosed) return;
    this.#retry = this.options.timers.after(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    const socket = this.#socket;
    if (socket !== null && !this.#isConnected) socket.once('connect', () => socket.end());
    else socket?.end();
    if (socket !== null) await this.#ended(socket);
    if (this.#waiting.length > 0) this.lose('CLOSED', this.#waiting.length);
    this.flushNow();
  }

  #ended(socket: net.Socket): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.timers.after(CLOSE_MS, () => socket.destroy());
      socket.once('close', () => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** Facts about the sender of all messages. */
interface SyslogSender {
  readonly hostname: string;
  readonly pid: number;
}

/** Builds the function that makes a line a message; the line's own line feed is left out. */
function syslogMessages({ facility, severity, app }: SyslogSnapshot, { hostname, pid }: SyslogSender) {
  const priority = FACILITIES.indexOf(facility) * 8 + SEVERITIES.indexOf(severity);
  const rest = `${headerText(hostname, 255)} ${headerText(app, 48)} ${pid} access -`;
  return (line: string, wallMs: number): string => {
    const text = line.endsWith('\n') ? line.slice(0, -1) : line;
    return `<${priority}>1 ${new Date(wallMs).toISOString()} ${rest} ${text}`;
  };
}

/** Header fields are printable US-ASCII without spaces; `-` is the nil value. */
function headerText(text: string, most: number): string {
  return text.replace(/[^!-~]/g, '_').slice(0, most) || '-';
}

/**
 * The message with its length in bytes before it: octet counting (RFC 6587 section 3.4.1), which needs no delimiter that
 * could occur in a message.
 */
function withOctetCount(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}
