// Fits a table to the width of a terminal: leaves out columns, shortens names in the middle, and moves the last column
// to lines of its own. Pure. Thread: main.

export type Paint = (text: string) => string;

export interface Column {
  readonly title: string;
  readonly isNumber: boolean;
  /** Columns with higher numbers are left out first; 0 is never left out. */
  readonly spare: number;
}

export interface Row {
  /** One cell for each column. */
  readonly cells: readonly string[];
  /** Text at the end of the line, or below it where it doesn't fit; '' for none. */
  readonly note: string;
  readonly paint: Paint;
  /** Name of the endpoint, for keys that act on it; null for headings. */
  readonly key: string | null;
}

/** A line of the screen. */
export interface TableLine {
  readonly text: string;
  readonly paint: Paint;
  /** Of the row that the line belongs to. */
  readonly key: string | null;
}

const GAP = 2;
/** The first column is shortened to this at least. */
const LEAST_NAME = 16;
/** A note shares the line of its row if this much of it fits. */
const LEAST_NOTE = 40;
const NOTE_INDENT = '      ';
/** Lines of one note. */
const MOST_NOTE_LINES = 3;

/** The header, then the rows. @param noteTitle heading of the notes */
export function tableLines(columns: readonly Column[], rows: readonly Row[], noteTitle: string, width: number) {
  const all = columns.map((_column, index) => index);
  const widthOf = (index: number): number =>
    rows.reduce((most, { cells }) => Math.max(most, cells[index]!.length), columns[index]!.title.length);
  const kept = keptColumns(columns, all, widthOf, width);
  const widths = new Map(kept.map((index) => [index, widthOf(index)]));
  const over = lineWidth(kept, widthOf) - width;
  if (over > 0) widths.set(0, Math.max(LEAST_NAME, widthOf(0) - over));
  const used = [...widths.values()].reduce((sum, one) => sum + one, 0) + GAP * (kept.length - 1);
  const isBeside = kept.length === columns.length && width - used - GAP >= noteRoom(rows);
  const lineOf = (cells: readonly string[]): string => {
    const parts = kept.map((index) => {
      const most = widths.get(index)!;
      const cell = shorten(cells[index]!, most);
      return columns[index]!.isNumber ? cell.padStart(most) : cell.padEnd(most);
    });
    return parts.join(' '.repeat(GAP));
  };
  const header = lineOf(columns.map(({ title }) => title));
  const body = rows.flatMap(({ cells, note, paint, key }): TableLine[] => {
    const line = lineOf(cells);
    const gap = ' '.repeat(GAP);
    if (isBeside) return [{ text: cut(`${line}${gap}${note}`.trimEnd(), width), paint, key }];
    const below = noteLines(note, width).map((text) => ({ text, paint, key }));
    return [{ text: cut(line.trimEnd(), width), paint, key }, ...below];
  });
  return { header: cut((isBeside ? `${header}  ${noteTitle}` : header).trimEnd(), width), body };
}

/** Leaves out the most dispensable columns until the line fits. */
function keptColumns(
  columns: readonly Column[],
  all: readonly number[],
  widthOf: (index: number) => number,
  width: number,
): readonly number[] {
  const order = all
    .filter((index) => columns[index]!.spare > 0)
    .toSorted((a, b) => columns[b]!.spare - columns[a]!.spare);
  let kept = all;
  for (const index of order) {
    if (lineWidth(kept, widthOf) <= width) break;
    kept = kept.filter((one) => one !== index);
  }
  return kept;
}

function lineWidth(kept: readonly number[], widthOf: (index: number) => number): number {
  return kept.reduce((sum, index) => sum + widthOf(index), 0) + GAP * (kept.length - 1);
}

/** Columns that notes need to stand beside their rows. */
function noteRoom(rows: readonly Row[]): number {
  const longest = rows.reduce((most, { note }) => Math.max(most, note.length), 0);
  return Math.min(longest, LEAST_NOTE);
}

/** A note as indented lines, broken between words. Its last line is cut where it has too many. */
function noteLines(note: string, width: number): string[] {
  if (note === '') return [];
  const room = Math.max(10, width - NOTE_INDENT.length);
  const lines: string[] = [];
  let rest = note;
  while (rest.length > room && lines.length < MOST_NOTE_LINES - 1) {
    const at = rest.lastIndexOf(' ', room);
    const end = at <= 0 ? room : at;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, cut(rest, room)].map((line) => `${NOTE_INDENT}${line}`);
}

/** Cuts the middle: names of endpoints differ at their ends. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) * 0.6);
  return `${text.slice(0, most - 1 - tail)}…${text.slice(text.length - tail)}`;
}

export function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
