// Difference of two texts by lines (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986), and its display with
// a few lines around each change. Pure. Runs in the browser.

export type DiffSign = ' ' | '+' | '-';

export interface DiffLine {
  readonly sign: DiffSign;
  readonly text: string;
}

/** Changed lines beyond which the rest counts as replaced: memory grows with their square. */
const MOST_CHANGES = 1_500;

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const middle = diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))];
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function same(lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ sign: ' ', text }));
}

/** Furthest x on each diagonal, per number of changes. */
type Trace = readonly Int32Array[];

function diffMiddle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  const trace = traceOf(a, b, most);
  if (trace === null) return [...a.map((text) => line('-', text)), ...b.map((text) => line('+', text))];
  return pathOf(a, b, trace);
}

function line(sign: DiffSign, text: string): DiffLine {
  return { sign, text };
}

/** Null where there are more changes than `most`. */
function traceOf(a: readonly string[], b: readonly string[], most: number): Trace | null {
  const reach = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes++) {
    trace.push(reach.slice());
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const at = diagonal + most + 1;
      const isDown = diagonal === -changes || (diagonal !== changes && reach[at - 1]! < reach[at + 1]!);
      let x = isDown ? reach[at + 1]! : reach[at - 1]! + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      reach[at] = x;
      if (x >= a.length && x - diagonal >= b.length) return trace;
    }
  }
  return null;
}

/** Follows the trace from the end to the start. */
function pathOf(a: readonly string[], b: readonly string[], trace: Trace): DiffLine[] {
  const lines: DiffLine[] = [];
  const middle = (trace[0]!.length - 1) / 2;
  let [x, y] = [a.length, b.length];
  for (let changes = trace.length - 1; changes >= 0; changes--) {
    const reach = trace[changes]!;
    const diagonal = x - y;
    const at = diagonal + middle;
    const isDown = diagonal === -changes || (diagonal !== changes && reach[at - 1]! < reach[at + 1]!);
    const beforeX = changes === 0 ? 0 : isDown ? reach[at + 1]! : reach[at - 1]!;
    const beforeY = changes === 0 ? 0 : beforeX - (isDown ? diagonal + 1 : diagonal - 1);
    while (x > beforeX && y > beforeY) {
      lines.push(line(' ', a[--x]!));
      y--;
    }
    if (changes > 0) lines.push(isDown ? line('+', b[--y]!) : line('-', a[--x]!));
  }
  return lines.toReversed();
}

/** Part of a difference: lines that are shown, or the number of equal lines that are left out. */
export type DiffPart = { readonly lines: readonly DiffLine[] } | { readonly skipped: number };

/** Leaves out equal lines that are further than `around` lines from a change. */
export function diffParts(lines: readonly DiffLine[], around = 3): DiffPart[] {
  const isNear = lines.map((_line, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ sign }) => sign !== ' '),
  );
  const parts: DiffPart[] = [];
  for (let from = 0; from < lines.length; ) {
    let to = from;
    while (to < lines.length && isNear[to] === isNear[from]) to++;
    parts.push(isNear[from] ? { lines: lines.slice(from, to) } : { skipped: to - from });
    from = to;
  }
  return parts;
}
