// Reads a configuration file and the files that it includes: one tree for each file. Thread: main.

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { readConfigFile } from '../files/config-file.ts';
import { faultOfDirectory } from '../files/path-kind.ts';
import { reasonOf } from '../files/referenced-files.ts';
import { type Finding, formatPath, type KeyPath } from '../problems/problem.ts';
import type { Environment } from '../yaml/environment.ts';
import { foreignConfig } from '../yaml/foreign-config.ts';
import { Places } from '../yaml/places.ts';
import { readTree } from '../yaml/read-tree.ts';
import { SourceText } from '../yaml/source-text.ts';
import { isContainer, type SourceTree } from '../yaml/source-tree.ts';
import { filesMatching, isPattern, parseIncludePattern } from './include-pattern.ts';
import type { ProblemList } from './problem-list.ts';

/** Limit of included files; more is a pattern that matches too much. */
const MOST_FILES = 2000;

/** Of a text that no other user can read. */
const PRIVATE_MODE = 0o600;

/** A file that was read, and the files that it includes in order. */
export interface SourceFile {
  readonly source: SourceText;
  /** Permission bits, as in chmod(1). */
  readonly mode: number;
  readonly tree: SourceTree;
  readonly includes: readonly SourceFile[];
  /** Parts of providers, behind everything else. Absent without any. */
  readonly provided?: readonly SourceFile[];
}

/** The files besides the main one, for watching. */
export interface FileSet {
  /** Absolute paths of the included files, including unreadable ones. */
  readonly files: readonly string[];
  /** Absolute patterns with wildcards: a new file that matches changes the configuration. */
  readonly patterns: readonly string[];
}

/** A text to read, and where it comes from. */
export interface TextToRead {
  readonly source: SourceText;
  readonly mode: number;
  /** Absolute directory that its `include` refers to. */
  readonly directory: string;
  /** Absolute path; null for a text without a file. */
  readonly absolute: string | null;
}

export class FileReader {
  readonly #environment: Environment;
  readonly #problems: ProblemList;
  readonly #places = new Places();
  /** Whether every included file could be read. */
  isComplete = true;
  readonly #files: string[] = [];
  readonly #patterns: string[] = [];
  /** Real paths of all files that were read, with their names. */
  readonly #seen = new Map<string, string>();
  /** Real paths of the files that are being read: the file, and those that include it. */
  readonly #open: string[] = [];

  constructor(environment: Environment, problems: ProblemList) {
    this.#environment = environment;
    this.#problems = problems;
  }

  get fileSet(): FileSet {
    return { files: this.#files, patterns: this.#patterns };
  }

  /** Names of the files in the order in which they were read. */
  get names(): string[] {
    return [...this.#seen.values()];
  }

  /** Reads a file with those that it includes; null if it can't be parsed, which has been reported. */
  read({ source, mode, directory, absolute }: TextToRead): SourceFile | null {
    const real = absolute === null ? source.file : realPathOf(absolute);
    this.#seen.set(real, source.file);
    const yaml = readTree(source, this.#environment, this.#places);
    if (!yaml.ok) {
      const foreign = foreignConfig(source);
      const found = foreign === null ? yaml.findings : [foreign];
      for (const { span, finding } of found) this.#problems.add(source, span, finding);
      return null;
    }
    const { tree, findings } = yaml;
    for (const { span, finding } of findings) this.#problems.add(source, span, finding);
    this.#open.push(real);
    const includes = this.#readIncludes(tree, directory);
    this.#open.pop();
    return { source, mode, tree, includes };
  }

  /** Reads a part of a provider: without variables of this process, and without `include`. Null as `read`. */
  readProvided(source: SourceText): SourceFile | null {
    const yaml = readTree(source, {}, this.#places);
    if (!yaml.ok) {
      for (const { span, finding } of yaml.findings) this.#problems.add(source, span, finding);
      return null;
    }
    const { tree, findings } = yaml;
    for (const { span, finding } of findings) this.#problems.add(source, span, finding);
    return { source, mode: PRIVATE_MODE, tree, includes: [] };
  }

  #readIncludes(tree: SourceTree, directory: string): SourceFile[] {
    const written = tree.valueAt(['include']);
    if (written === undefined) return [];
    const list: readonly unknown[] = Array.isArray(written) ? written : [written];
    return list.flatMap((text, index) => {
      const at = Array.isArray(written) ? ['include', index] : ['include'];
      return this.#readPattern(text, at, { tree, directory });
    });
  }

  #readPattern(text: unknown, at: KeyPath, { tree, directory }: Including): SourceFile[] {
    const report = (finding: Omit<Finding, 'path'>): SourceFile[] => this.#report(tree, { ...finding, path: at });
    if (typeof text !== 'string') {
      const message = `"${formatPath(at)}" must be a file or a pattern such as conf.d/*.yaml`;
      return report({ code: 'FL2004', message });
    }
    const parsed = parseIncludePattern(text);
    if (!parsed.ok) return report({ code: 'FL2006', message: parsed.message });
    const absolute = path.resolve(directory, text);
    if (!isPattern(text)) return this.#readFile(absolute, nameOf(text, tree), at, tree);
    this.#patterns.push(absolute);
    const files = matchesOf(absolute);
    if (!Array.isArray(files)) return report({ code: 'FL4001', message: files.message });
    return files.flatMap((file) =>
      this.#readFile(file, nameOf(path.join(path.dirname(text), path.basename(file)), tree), at, tree),
    );
  }

  #readFile(absolute: string, name: string, at: KeyPath, tree: SourceTree): SourceFile[] {
    const report = (code: Finding['code'], message: string): SourceFile[] =>
      this.#report(tree, { code, message, path: at });
    const real = realPathOf(absolute);
    const earlier = this.#seen.get(real);
    if (this.#open.includes(real)) {
      return report('FL1006', `${name} includes itself${this.#cycleTo(real)}: remove it from "include"`);
    }
    if (earlier !== undefined) {
      return report('FL1006', `${name} is included twice: remove one of the entries or patterns that match it`);
    }
    if (this.#files.length >= MOST_FILES) {
      return report('FL1006', `more than ${MOST_FILES} files are included: narrow the patterns`);
    }
    this.#files.push(absolute);
    const read = readConfigFile(absolute);
    if (!('text' in read)) {
      this.#seen.set(real, name);
      return report(read.code === 'FL1001' ? 'FL4001' : read.code, `the included file ${name} ${read.reason}`);
    }
    const source = new SourceText(read.text, name);
    const file = this.read({ source, mode: read.mode, directory: path.dirname(absolute), absolute });
    if (file !== null && isContainer(file.tree.root) && !Array.isArray(file.tree.root)) return [file];
    // A file of comments alone includes nothing.
    if (file?.tree.root === null) return [];
    this.isComplete = false;
    if (file !== null && file.tree.root !== undefined) {
      const message = 'an included file must be a mapping with routes, upstreams or other keys';
      this.#problems.add(source, source.spanOf([0, 1]), { code: 'FL2004', message, path: [] });
    }
    return [];
  }

  /** The files between the first inclusion of a file and the one that includes it again. */
  #cycleTo(real: string): string {
    const between = this.#open.slice(this.#open.indexOf(real) + 1).map((open) => this.#seen.get(open));
    return between.length === 0 ? '' : ` through ${between.join(', ')}`;
  }

  /** Reports an entry of `include` that can't be used. */
  #report(tree: SourceTree, finding: Finding): SourceFile[] {
    this.isComplete = false;
    const { source, span } = tree.placeOf(finding.path, 'value');
    this.#problems.add(source, span, finding);
    return [];
  }
}

interface Including {
  readonly tree: SourceTree;
  readonly directory: string;
}

/** The name of an included file in messages: relative to the name of the file that includes it. */
function nameOf(text: string, tree: SourceTree): string {
  if (path.isAbsolute(text)) return text;
  return path.join(path.dirname(tree.placeOf([], 'key').source.file), text);
}

/** The files that a pattern matches, or a message where its directory can't be read. */
function matchesOf(pattern: string): string[] | { readonly message: string } {
  const directory = path.dirname(pattern);
  const fault = faultOfDirectory(directory);
  if (fault !== null) return { message: `the directory ${directory} ${fault}` };
  try {
    return filesMatching(pattern);
  } catch (error) {
    return { message: `the directory ${directory} ${reasonOf(error)}` };
  }
}

function realPathOf(absolute: string): string {
  try {
    return realpathSync(absolute);
  } catch {
    return absolute;
  }
}
