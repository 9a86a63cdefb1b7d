// Keys of `top`: input of a terminal to names of keys. Pure. Thread: main.

/** A named key, or the character of any other. */
export type TopKey = string;

const SEQUENCES: readonly (readonly [string, TopKey])[] = [
  ['\u001b[5~', 'pageUp'],
  ['\u001b[6~', 'pageDown'],
  ['\u001b[A', 'up'],
  ['\u001b[B', 'down'],
  ['\u001bOA', 'up'],
  ['\u001bOB', 'down'],
  ['\u001b[H', 'first'],
  ['\u001b[F', 'last'],
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\t', 'tab'],
  ['\u007f', 'backspace'],
  ['\b', 'backspace'],
  // Ctrl-C: in raw mode the terminal sends no signal.
  ['\u0003', 'interrupt'],
];

/** Any other escape sequence (CSI and SS3 of ECMA-48), which is skipped. */
// oxlint-disable-next-line no-control-regex
const OTHER_SEQUENCE = /^\u001b(?:\[[\d;]*[ -/]*[@-~]|O.)/;

/** The keys in the input; unknown sequences and control characters are skipped. */
export function keysOf(text: string): TopKey[] {
  const found: TopKey[] = [];
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const known = SEQUENCES.find(([sequence]) => rest.startsWith(sequence));
    const other = OTHER_SEQUENCE.exec(rest)?.[0];
    const char = String.fromCodePoint(rest.codePointAt(0)!);
    if (known !== undefined) found.push(known[1]);
    else if (other === undefined && char === '\u001b') found.push('escape');
    else if (other === undefined && char >= ' ') found.push(char);
    at += (known?.[0] ?? other ?? char).length;
  }
  return found;
}
