// Words and openings that make a text read as if it were translated, over parsed files and pages; no I/O. Thread: main.

import { lineOf, type Finding, type SourceFile } from './source-files.ts';

/** A page of prose, by line; lines that are code are empty. */
export interface ProsePage {
  readonly path: string;
  readonly lines: readonly string[];
}

/** Findings, and the lines that were allowed to differ. */
export interface WordReport {
  readonly findings: readonly Finding[];
  readonly fileCount: number;
  readonly commentCount: number;
  /** `path:line reason` of each marked line. */
  readonly exceptions: readonly string[];
}

/** A comment names its subject first: "Idle connections", not "What rests". */
const OPENING =
  /^(?:what|who|whom|whose|whoever|whatever|that which|those who|how it|how they|the way of|where it|of what|from what|to what|with what)\b/i;
const OPENING_ADVICE = 'begin with the subject: name the thing, then say what it is or does';

/** Words with the plain one to use instead. They may stand nowhere: not in comments, texts or pages. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bmourn(?:s|ed|ing)?\b/i, 'handle the exit of'],
  [/\bfall(?:s|en|ing)? silent\b/i, 'stop reporting, stop answering'],
  [/\banew\b/i, 'again'],
  [/\b(?:is|are|was|were|be|been|being) told\b/i, 'is notified, receives, is given'],
  [/\btells? (?:it|that|them|us|whether|of|who|what|how|nothing|apart)\b/i, 'reports, says, notifies, distinguishes'],
  [/\bhears?\b|\bheard\b/i, 'receives, is notified'],
  [/\btakes? (?:its )?leave\b/i, 'leaves, ends'],
  [/\bstays? a while\b/i, 'waits'],
  [/\bso hinders\b/i, 'prevents'],
  [/\bmouths?\b/i, 'socket, end'],
  // In prose only: the admin API has a field `wishes`.
  [/\bwishe[sd](?= \w)/i, 'requested state, request'],
  [/\b(?:let|lets|letting) go\b/i, 'release'],
  [/\bgives? (?:itself )?up on\b/i, 'abandon'],
  [/\bnobody(?: else)? (?:knows|wants|asks|reads|writes|sees|hears|has)\b/i, 'name the part: no worker, no caller'],
  [/\bcome to an end\b/i, 'end'],
];

/** Allows a line, with the reason: on the same line or in the comment right above. */
const ALLOWED = /\bcheck-words:[ \t]*(\S.*?)(?:\*\/)?$/;

/** Checks all comments and string literals of the sources, and the prose of the pages. */
export function checkWords(files: readonly SourceFile[], pages: readonly ProsePage[]): WordReport {
  const findings: Finding[] = [];
  const exceptions: string[] = [];
  const add = (path: string, line: number, text: readonly string[], found: Finding | undefined): void => {
    if (found === undefined) return;
    const reason = ALLOWED.exec(text[line - 1] ?? '')?.[1] ?? ALLOWED.exec(text[line - 2] ?? '')?.[1];
    if (reason === undefined) findings.push(found);
    else exceptions.push(`${path}:${line} ${reason}`);
  };
  let commentCount = 0;
  for (const file of files) {
    const lines = file.text.split('\n');
    commentCount += file.comments.length;
    for (const line of openings(file)) {
      add(file.path, line, lines, { path: file.path, line, rule: 'opening', message: OPENING_ADVICE });
    }
    lines.forEach((text, index) => add(file.path, index + 1, lines, wordIn(file.path, index + 1, text)));
  }
  for (const { path, lines } of pages) {
    lines.forEach((text, index) => add(path, index + 1, lines, wordIn(path, index + 1, text)));
  }
  return { findings, exceptions, fileCount: files.length + pages.length, commentCount };
}

/** Lines of comments that begin badly. A run of line comments counts as one comment. */
function openings(file: SourceFile): number[] {
  const found: number[] = [];
  let previousLine = -1;
  for (const comment of file.comments) {
    const line = lineOf(file, comment.start);
    const isContinued = comment.type === 'Line' && line === previousLine + 1;
    previousLine = comment.type === 'Line' ? line : -1;
    const text = comment.value.replace(/^[*\s]+/, '');
    if (!isContinued && OPENING.test(text)) found.push(line + leadingLines(comment.value));
  }
  return found;
}

function leadingLines(value: string): number {
  return (/^[*\s]+/.exec(value)?.[0] ?? '').split('\n').length - 1;
}

function wordIn(path: string, line: number, text: string): Finding | undefined {
  for (const [pattern, instead] of WORDS) {
    const match = pattern.exec(text);
    if (match !== null) return { path, line, rule: 'word', message: `"${match[0]}": ${instead}` };
  }
  return undefined;
}
