// Open handles of a process, from Node's diagnostic report. Thread: main.

/** The relevant parts of Node's diagnostic report. */
export interface DiagnosticReport {
  readonly libuv?: readonly ReportedHandle[];
  readonly workers?: readonly unknown[];
}

interface ReportedHandle {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced?: boolean;
  readonly localEndpoint?: ReportedAddress | null;
  readonly remoteEndpoint?: ReportedAddress | null;
  readonly firesInMsFromNow?: number;
  readonly pid?: number;
}

interface ReportedAddress {
  readonly ip4?: string;
  readonly ip6?: string;
  readonly host?: string;
  readonly port: number;
}

const SHOWN_HANDLES = 8;

/** Open TCP sockets, other handles that keep an event loop alive, and worker threads, as text. */
export function describeOpen(report: DiagnosticReport): string {
  const handles = (report.libuv ?? []).filter(isTelling).map(describeHandle);
  const workers = report.workers?.length ?? 0;
  if (workers > 0) handles.push(`${workers} worker thread(s)`);
  if (handles.length === 0) return 'no open handle';
  const rest = handles.length - SHOWN_HANDLES;
  return [...handles.slice(0, SHOWN_HANDLES), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

/** Sockets in any state: one that Node has lost is neither active nor closed. */
function isTelling(handle: ReportedHandle): boolean {
  if (handle.type === 'tcp' || handle.type === 'udp') return true;
  return handle.is_active && handle.is_referenced !== false && handle.type !== 'loop';
}

function describeHandle(handle: ReportedHandle): string {
  const { type, localEndpoint, remoteEndpoint, firesInMsFromNow, pid, is_active: isActive } = handle;
  if (remoteEndpoint) return `${type} ${addressOf(localEndpoint)} -> ${addressOf(remoteEndpoint)}`;
  if (localEndpoint) return `${type} ${isActive ? 'listening on' : 'disconnected from'} ${addressOf(localEndpoint)}`;
  if (type === 'timer') return `timer in ${firesInMsFromNow ?? '?'} ms`;
  return pid === undefined ? type : `${type} ${pid}`;
}

function addressOf(address: ReportedAddress | null | undefined): string {
  if (!address) return '?';
  return `${address.ip4 ?? address.ip6 ?? address.host ?? '?'}:${address.port}`;
}
