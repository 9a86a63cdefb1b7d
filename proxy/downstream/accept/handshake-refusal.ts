// Refusals of TLS handshakes: a fatal alert in clear text, before any key is agreed. Thread: worker.

import type { Socket } from 'node:net';

/** Descriptions of alerts (RFC 8446 section 6.2; unrecognized_name: RFC 6066 section 3; no_application_protocol: RFC 7301). */
const ALERTS = { decode_error: 50, unrecognized_name: 112, no_application_protocol: 120 } as const;

/** Closes a connection whose client has sent its ClientHello, with the reason. */
export function refuseHandshake(socket: Socket, alert: keyof typeof ALERTS): void {
  const [alertType, fatal] = [21, 2];
  socket.end(Buffer.from([alertType, 3, 3, 0, 2, fatal, ALERTS[alert]]));
  socket.once('finish', () => socket.destroy());
}
