// Metrics of listeners: client connections and their requests. Thread: main.

import type { ListenerField } from '../../core/memory/lane-fields.ts';
import { type MetricFamily, perListener } from './metric-family.ts';
import { STATUS_CLASSES } from './metrics-upstream.ts';

function lane(type: 'counter' | 'gauge', field: ListenerField, name: string, help: string): MetricFamily {
  return perListener(type, name, help, ({ sums }, { index }) => sums.listener(index, field));
}

export const LISTENER_METRICS: readonly MetricFamily[] = [
  lane('gauge', 'connectionsOpen', 'connections', 'Connections of clients now.'),
  lane('counter', 'connectionsAccepted', 'connections_accepted_total', 'Connections taken.'),
  lane('counter', 'connectionsRefused', 'connections_refused_total', 'Connections closed at once because of a limit.'),
  lane('counter', 'tlsFailures', 'tls_failures_total', 'TLS handshakes that failed.'),
  lane('counter', 'requests', 'requests_total', 'Requests that have ended, refused ones among them.'),
  perListener(
    'counter',
    'responses_total',
    'Responses sent to clients, local replies included, by class of status.',
    ({ sums }, { index }) => STATUS_CLASSES.map(([name, field]) => [name, sums.listener(index, field)] as const),
    'class',
  ),
  lane('counter', 'badRequests', 'bad_requests_total', 'Requests refused as malformed, too large or not served.'),
  lane('counter', 'noRoute', 'no_route_total', 'Requests for which no route matched.'),
  lane('counter', 'timeouts', 'timeouts_total', 'Requests that ended because the client was too slow.'),
  lane('counter', 'forwardedSpoofs', 'forwarded_spoofs_total', 'Requests with X-Forwarded fields nobody may send.'),
  lane('counter', 'handOffs', 'hand_offs_total', 'Connections given from the fast path to the general path.'),
  lane('counter', 'bytesReceived', 'received_bytes_total', 'Body bytes from clients.'),
  lane('counter', 'bytesSent', 'sent_bytes_total', 'Body bytes to clients.'),
];
