// Syslog messages (RFC 5424) and their framing on streams (RFC 6587). Pure. Thread: both.

import { FACILITIES, SEVERITIES, type SyslogSnapshot } from '../../core/snapshot/snapshot.ts';

/** Facts about the sender of all messages. */
export interface SyslogSender {
  readonly hostname: string;
  readonly pid: number;
}

/** Builds the function that makes a line a message; the line's own line feed is left out. */
export function syslogMessages({ facility, severity, app }: SyslogSnapshot, { hostname, pid }: SyslogSender) {
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
export function withOctetCount(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}
