// Style of pages: weasel words, empty phrases, clichés and repeated words, by write-good with the rules that suit
// technical English; no I/O. Thread: main.

import writeGood from 'write-good';
import type { Finding } from './source-files.ts';

/**
 * Passive voice and adverbs are for other texts: who does something often doesn't matter here. E-Prime is no English.
 */
const CHECKS = { passive: false, adverb: false, eprime: false } as const;

/** Plain technical words that write-good takes for wordy or vague. */
const ALLOWED: ReadonlySet<string> = new Set([
  'all of',
  'completely',
  'equivalent',
  'fairly',
  'few',
  'however',
  'implement',
  'it is',
  'it was',
  'many',
  'maximum',
  'minimum',
  'monitor',
  'mostly',
  'obtain',
  'satisfy',
  'several',
  'significantly',
  'terminate',
  'therefore',
  'type of',
  'validate',
]);

interface Block {
  readonly text: string;
  readonly line: number;
}

/** Findings of one page in Markdown. Code, addresses of links and HTML comments are no prose. */
export function checkProse(path: string, markdown: string): Finding[] {
  return blocksOf(proseOf(markdown)).flatMap(({ text, line }) =>
    writeGood(text, CHECKS).flatMap(({ index, offset, reason }): Finding[] => {
      const words = text
        .slice(index, index + offset)
        .toLowerCase()
        .replaceAll(/\s+/g, ' ');
      if (ALLOWED.has(words)) return [];
      return [{ path, line: line + text.slice(0, index).split('\n').length - 1, rule: 'prose', message: reason }];
    }),
  );
}

/** The page with the same lines: code spans become distinct words, which never repeat each other. */
function proseOf(markdown: string): string[] {
  let isCode = false;
  let spans = 0;
  const word = (): string => `code${spans++}`;
  return markdown.split('\n').map((line) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    if (isCode || isFence || line.startsWith('    ')) return '';
    return (
      line
        .replaceAll(/<!--.*?-->/g, '')
        .replaceAll(/``.+?``|`[^`]*`/g, word)
        // Lists of figures, as results have.
        .replaceAll(/\d[\d.,%]*(?: [\d.,%]+)+/g, word)
        .replaceAll(/\]\([^)]*\)/g, ']')
    );
  });
}

/** Paragraphs, list items, headings and cells of tables: words repeat only within one of them. */
function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: { text: string; line: number } | null = null;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (text.startsWith('|')) {
      open = null;
      blocks.push(...text.split('|').map((cell) => ({ text: cell, line })));
    } else if (text.trim() === '' || /^(?:#|\s*[-*] |\s*\d+\. )/.test(text) || open === null) {
      open = { text, line };
      blocks.push(open);
    } else open.text += `\n${text}`;
  }
  return blocks;
}
