// Golden cases: configuration texts with their expected messages, in readable files. Thread: main.
// A case is `=== title`, the text, and its messages with source lines and carets, each line prefixed with `=> `.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfigText, type LoadResult } from '../../../config/load.ts';
import { renderProblem } from '../../../config/problems/problem-text.ts';
import { privateCertificates } from '../../support/private-certificates.ts';

export interface GoldenCase {
  readonly title: string;
  readonly text: string;
  readonly expected: readonly string[];
}

const DIRECTORY = privateCertificates();

/** The variables of all cases. */
export const ENVIRONMENT = {
  PORT: '8080',
  NUMBER: '3',
  WORD: 'abc',
  EMPTY: '',
  STICKY_SECRET: 'sixteen letters and more',
  INJECTION: 'app\nworkers: 64 # {',
};

/** 2030-01-01: within the validity of the test certificates. */
export const WALL_MS = Date.UTC(2030, 0, 1);

export function goldenFile(name: string): string {
  return path.join(import.meta.dirname, 'golden', name);
}

export function readCases(name: string): GoldenCase[] {
  const blocks = readFileSync(goldenFile(name), 'utf8').split(/^=== /m).slice(1);
  return blocks.map((block) => {
    const [title = '', ...lines] = block.trimEnd().split('\n');
    const expected = lines.filter((line) => line.startsWith('=> ')).map((line) => line.slice(3));
    const text = lines.filter((line) => !line.startsWith('=> ')).join('\n');
    return { title, text: text === '' ? '' : `${text}\n`, expected };
  });
}

export function writeCases(cases: readonly GoldenCase[]): string {
  const blocks = cases.map(({ title, text, expected }) => {
    const messages = expected.map((line) => `=> ${line}\n`).join('');
    return `=== ${title}\n${text}${messages}`;
  });
  return blocks.join('\n');
}

export function load(text: string, environment: Record<string, string> = ENVIRONMENT): LoadResult {
  return loadConfigText(text, { file: 'fairlead.yaml', directory: DIRECTORY, environment, wallMs: WALL_MS });
}

/** All message lines for a text, with the test directory shown as DIR. */
export function messagesFor(text: string): string[] {
  const result = load(text);
  const problems = result.ok ? result.warnings : result.problems;
  return problems.flatMap((problem) => renderProblem(problem).replaceAll(DIRECTORY, 'DIR').split('\n'));
}
