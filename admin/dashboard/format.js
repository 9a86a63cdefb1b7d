// Formats numbers and times for people: short, with their unit. Pure. Runs in the browser.

const NOTHING = '–';
/** Never broken between a number and its unit. */
const GAP = '\u00a0';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number | null} value */
export function count(value) {
  return value === null ? NOTHING : WHOLE.format(value);
}

/** Requests per second. @param {number | null} value */
export function rate(value) {
  if (value === null) return NOTHING;
  if (value > 0 && value < 0.05) return '<0.1';
  return value === 0 || value >= 99.95 ? WHOLE.format(value) : TENTHS.format(value);
}

/** A ratio in percent; a small ratio above zero is never shown as zero. @param {number | null} share */
export function percent(share) {
  if (share === null) return NOTHING;
  if (share === 0) return `0${GAP}%`;
  if (share < 0.0005) return `<0.1${GAP}%`;
  if (share >= 0.9995) return `100${GAP}%`;
  return `${TENTHS.format(share * 100)}${GAP}%`;
}

/** @param {number | null} ms */
export function millis(ms) {
  if (ms === null) return NOTHING;
  if (ms < 9.95) return `${TENTHS.format(ms)}${GAP}ms`;
  if (ms < 999.5) return `${WHOLE.format(ms)}${GAP}ms`;
  return `${TENTHS.format(ms / 1000)}${GAP}s`;
}

/**
 * The figures of a table row, in the order of their columns.
 * @param {{ inFlight: number, queued: number, requestsPerSecond: number | null, errorShare: number | null, p50Ms: number | null, p99Ms: number | null }} load
 */
export function loadTexts({ inFlight, queued, requestsPerSecond, errorShare, p50Ms, p99Ms }) {
  return [count(inFlight), count(queued), rate(requestsPerSecond), percent(errorShare), millis(p50Ms), millis(p99Ms)];
}

/**
 * Connections of an endpoint by protocol, with the streams of those over HTTP/2.
 * @param {{ connections: number, http2Connections: number, streams: number }} load
 */
export function connectionText({ connections, http2Connections, streams }) {
  if (http2Connections === 0) return count(connections);
  const http1 = connections - http2Connections;
  const http2 = `${count(http2Connections)}${GAP}h2 (${count(streams)}${GAP}str.)`;
  return http1 > 0 ? `${count(http1)} + ${http2}` : http2;
}

/** A duration in its two largest units. @param {number} seconds */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}${GAP}s`;
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3600), Math.floor(whole / 86_400)];
  if (minutes < 60) return `${minutes}${GAP}min`;
  if (hours < 24) return minutes % 60 === 0 ? `${hours}${GAP}h` : `${hours}${GAP}h ${minutes % 60}${GAP}min`;
  return hours % 24 === 0 ? `${days}${GAP}d` : `${days}${GAP}d ${hours % 24}${GAP}h`;
}

/** Age of a time. @param {string} iso @param {number} nowMs wall-clock ms of the server if known */
export function age(iso, nowMs) {
  return span((nowMs - Date.parse(iso)) / 1000);
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Local time of day. @param {string | number} time ISO 8601, or wall-clock ms */
export function clock(time) {
  return TIME.format(new Date(time));
}
