// Times in access log lines. The text of a second is formatted once and cached.
// Thread: both.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The texts of one second. Dates of HAProxy and Apache are in the local time zone, as there. */
interface SecondTexts {
  readonly second: number;
  /** 2009-02-06T12:14:14, in UTC */
  readonly iso: string;
  /** 06/Feb/2009:12:14:14 */
  readonly common: string;
  /** +0100 */
  readonly zone: string;
}

/** Cached seconds: exchanges that end together began at different ones. A power of two. */
const KEPT_SECONDS = 16;
const kept: SecondTexts[] = Array.from({ length: KEPT_SECONDS }, () => textsOf(0));

function textsAt(wallMs: number): SecondTexts {
  const second = Math.floor(wallMs / 1000);
  const place = second & (KEPT_SECONDS - 1);
  const texts = kept[place]!;
  if (texts.second === second) return texts;
  return (kept[place] = textsOf(second));
}

function textsOf(second: number): SecondTexts {
  const date = new Date(second * 1000);
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const iso = date.toISOString().slice(0, -5);
  return { second, iso, common: `${day}:${time}`, zone: zoneOf(-date.getTimezoneOffset()) };
}

function zoneOf(eastMinutes: number): string {
  const minutes = Math.abs(eastMinutes);
  return `${eastMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** '.000' to '.999'. */
const THOUSANDTHS: readonly string[] = Array.from({ length: 1000 }, (_, i) => `.${`${i}`.padStart(3, '0')}`);

/** `2009-02-06T12:14:14.655Z`. @param wallMs ms since 1970, within the range of Date */
export function isoTime(wallMs: number): string {
  const texts = textsAt(wallMs);
  return `${texts.iso}${THOUSANDTHS[Math.floor(wallMs) - texts.second * 1000]}Z`;
}

/** `06/Feb/2009:12:14:14.655`, local, as HAProxy's accept date. */
export function haproxyTime(wallMs: number): string {
  const texts = textsAt(wallMs);
  return `${texts.common}${THOUSANDTHS[Math.floor(wallMs) - texts.second * 1000]}`;
}

/** `06/Feb/2009:12:14:14 +0100`, local, as Apache's %t. */
export function apacheTime(wallMs: number): string {
  const texts = textsAt(wallMs);
  return `${texts.common} ${texts.zone}`;
}

/** Milliseconds with up to three decimals, without the cost of printing a float; -1 for a phase not reached. */
export function decimalMs(ms: number): string {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) return '-1';
  const us = Math.round(ms * 1000);
  const whole = Math.floor(us / 1000);
  const rest = us - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}${THOUSANDTHS[rest]}`;
}

/** Whole milliseconds; -1 for a phase not reached. */
export function wholeMs(ms: number): number {
  return ms >= 0 ? Math.round(ms) : -1;
}
