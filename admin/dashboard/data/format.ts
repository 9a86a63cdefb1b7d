// Formats numbers and times for people: short, with their unit. Pure. Runs in the browser.

const NOTHING = '–';
/** Never broken between a number and its unit. */
const GAP = '\u00a0';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function count(value: number | null): string {
  return value === null ? NOTHING : WHOLE.format(value);
}

/** Requests per second. */
export function rate(value: number | null): string {
  if (value === null) return NOTHING;
  if (value > 0 && value < 0.05) return '<0.1';
  return value === 0 || value >= 99.95 ? WHOLE.format(value) : TENTHS.format(value);
}

/** A ratio in percent; a small ratio above zero is never shown as zero. */
export function percent(share: number | null): string {
  if (share === null) return NOTHING;
  if (share === 0) return `0${GAP}%`;
  if (share < 0.0005) return `<0.1${GAP}%`;
  if (share >= 0.9995 && share <= 1) return `100${GAP}%`;
  return `${TENTHS.format(share * 100)}${GAP}%`;
}

export function millis(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms < 9.95) return `${TENTHS.format(ms)}${GAP}ms`;
  if (ms < 999.5) return `${WHOLE.format(ms)}${GAP}ms`;
  return `${TENTHS.format(ms / 1000)}${GAP}s`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(value: number): string {
  let [shown, unit] = [value, 0];
  while (shown >= 1024 && unit < BYTE_UNITS.length - 1) {
    shown /= 1024;
    unit++;
  }
  return `${unit === 0 || shown >= 99.95 ? WHOLE.format(shown) : TENTHS.format(shown)}${GAP}${BYTE_UNITS[unit]!}`;
}

export interface Load {
  readonly inFlight: number;
  readonly queued: number;
  readonly requestsPerSecond: number | null;
  readonly errorShare: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The figures of a table row, in the order of their columns. */
export function loadTexts({ inFlight, queued, requestsPerSecond, errorShare, p50Ms, p99Ms }: Load): string[] {
  return [count(inFlight), count(queued), rate(requestsPerSecond), percent(errorShare), millis(p50Ms), millis(p99Ms)];
}

export interface Connections {
  readonly connections: number;
  readonly http2Connections: number;
  readonly streams: number;
}

/** Connections of an endpoint by protocol, with the streams of those over HTTP/2. */
export function connectionText({ connections, http2Connections, streams }: Connections): string {
  if (http2Connections === 0) return count(connections);
  const http1 = connections - http2Connections;
  const http2 = `${count(http2Connections)}${GAP}h2 (${count(streams)}${GAP}str.)`;
  return http1 > 0 ? `${count(http1)} + ${http2}` : http2;
}

export interface Weights {
  readonly weight: number;
  readonly configuredWeight: number;
  readonly weightShare: number;
}

/** The weight in effect, marked if an operator has set it, with the share that is in use if below 1. */
export function weightText({ weight, configuredWeight, weightShare }: Weights): string {
  const override = weight === configuredWeight ? '' : `* (${configuredWeight})`;
  const share = weightShare === 1 ? '' : ` × ${weightShare}`;
  return `${weight}${override}${share}`;
}

/** A duration in its two largest units. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}${GAP}s`;
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3600), Math.floor(whole / 86_400)];
  if (minutes < 60) return `${minutes}${GAP}min`;
  if (hours < 24) return minutes % 60 === 0 ? `${hours}${GAP}h` : `${hours}${GAP}h ${minutes % 60}${GAP}min`;
  return hours % 24 === 0 ? `${days}${GAP}d` : `${days}${GAP}d ${hours % 24}${GAP}h`;
}

/** Age of a time. @param nowMs wall-clock ms of the server if known */
export function age(iso: string, nowMs: number): string {
  return span((nowMs - Date.parse(iso)) / 1000);
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** Local time of day. @param time ISO 8601, or wall-clock ms */
export function clock(time: string | number): string {
  return TIME.format(new Date(time));
}

/** Local date. */
export function day(time: string | number): string {
  return DAY.format(new Date(time));
}

/** `1 endpoint`, `2 endpoints`. */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}
