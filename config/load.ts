// From a configuration file to checked settings, or to everything that is wrong with it at once. Thread: main.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { Document } from 'yaml';
import { systemClock } from '../core/clock.ts';
import type { Environment } from './yaml/environment.ts';
import { type CompiledPolicies, compilePolicies } from './policies/compile-policies.ts';
import { partsOf, salvage } from './validate/parsed-config.ts';
import { byPlace, problemAt, type Finding, type Problem, type ProblemCode } from './problems/problem.ts';
import { ReferencedFiles, reasonOf } from './files/referenced-files.ts';
import { retypeVariables } from './yaml/retype-variables.ts';
import { configSchema, type Config } from './schema/schema.ts';
import { findingsOf } from './schema/schema-findings.ts';
import { SourceText } from './yaml/source-text.ts';
import { SourceTree } from './yaml/source-tree.ts';
import { validate } from './validate/validate.ts';
import { isWorldReadable } from './validate/validate-secrets.ts';
import { writtenConfig } from './yaml/written-config.ts';
import { parseYaml } from './yaml/yaml-text.ts';

/** 10,000 endpoints written as mappings have about half a megabyte. */
const LARGEST_BYTES = 4 * 1024 * 1024;
/** More are not told: after a thousand something is wrong with the file as a whole. */
const MOST_PROBLEMS = 1000;

/** A configuration that has passed every check. */
export interface LoadedConfig {
  /** As it was given. */
  readonly file: string;
  /** What relative paths in the file are relative to; absolute. */
  readonly directory: string;
  readonly settings: Config;
  /** What policies compiled their options to. */
  readonly policies: CompiledPolicies;
  /** Texts of the files that the configuration names, by the name that it gives them. */
  readonly files: ReadonlyMap<string, string>;
  /** The values as they are written, without secrets, for people. Made when asked for: that takes a while. */
  readonly written: () => Readonly<Record<string, unknown>>;
  /** The same with variables put in and secrets shown. */
  readonly values: () => Readonly<Record<string, unknown>>;
}

export type LoadResult =
  | { readonly ok: true; readonly config: LoadedConfig; readonly warnings: readonly Problem[] }
  | {
      readonly ok: false;
      /** Errors and warnings in the order of the file; at least one error. */
      readonly problems: readonly Problem[];
      /** Files that it names, as far as that was found out. */
      readonly named: readonly string[];
      /** False where the file itself could not be read: exit code 2 instead of 1. */
      readonly isReadable: boolean;
    };

/**
 * Loads a configuration file. Never throws for what is in the file or for a missing one.
 * @param environment variables for `${NAME}`; process.env when Fairlead runs.
 */
export function loadConfig(file: string, environment: Environment): LoadResult {
  const read = readBounded(file);
  const directory = path.dirname(path.resolve(file));
  if (!('text' in read))
    return { ok: false, problems: [wholeFile(file, read)], named: [], isReadable: read.code !== 'FL1001' };
  const { text, mode } = read;
  return loadConfigText(text, { file, directory, environment, wallMs: systemClock.wallMs(), mode });
}

/** Where a text came from and what it is checked against. */
export interface TextOrigin {
  readonly file: string;
  readonly directory: string;
  readonly environment: Environment;
  /** Time of the check in ms since 1970: certificates run out. */
  readonly wallMs: number;
  /** Permissions of the file, as in chmod(1); those of nobody else where absent. */
  readonly mode?: number;
}

/** Loads a configuration from its text. Never throws for what is in the text. */
export function loadConfigText(text: string, origin: TextOrigin): LoadResult {
  const source = new SourceText(text);
  const yaml = parseYaml(source);
  if (!yaml.ok) {
    const found = yaml.findings.map(({ span, finding }) => problemAt(origin.file, span, finding));
    return failed(found, source);
  }
  const tree = new SourceTree(source, yaml.document, origin.environment);
  const problems = tree.findings.map(({ span, finding }) => problemAt(origin.file, span, finding));
  if (tree.root === undefined) return failed(problems, source);
  if (tree.root === null) return failed([...problems, wholeFile(origin.file, nothingSaid)], source);
  const report = reporterTo(problems, tree, origin.file);
  const files = new ReferencedFiles(origin.directory);
  const checked = checkTree(tree, files, origin, report);
  if (checked === null || problems.some(isError)) return failed(problems, source, files.names());
  const { file, directory } = origin;
  const written = () => writtenConfig(source, yaml.document);
  const values = () => valuesOf(source, yaml.document, origin.environment);
  const config = { file, directory, ...checked, files: files.texts(), written, values };
  return { ok: true, config, warnings: inOrder(problems, source) };
}

/** Built anew where somebody asks: a process that runs doesn't keep them. */
function valuesOf(source: SourceText, document: Document.Parsed, environment: Environment) {
  const tree = new SourceTree(source, document, environment);
  retypeVariables(tree, configSchema());
  return tree.root as Readonly<Record<string, unknown>>;
}

/** Leaves out what only follows from something that has been told of the same value. */
function reporterTo(problems: Problem[], tree: SourceTree, file: string): (finding: Finding) => void {
  const told = new Set(problems.filter(({ code }) => UNKNOWN_VALUE.test(code)).map((problem) => problem.path));
  return (finding) => {
    const problem = problemAt(file, tree.spanOf(finding.path, finding.part ?? 'value'), finding);
    if (told.has(problem.path) && DEPENDENT.test(problem.code)) return;
    if (problem.code.startsWith('FL2') && problem.path !== '') told.add(problem.path);
    problems.push(problem);
  };
}

/** After these nobody knows what the value is: a broken alias, tag or variable. */
const UNKNOWN_VALUE = /^FL(?:1105|1109|12)/;
/** Of a value about which something was told, these are no more news: its shape, and names that it refers to. */
const DEPENDENT = /^FL(?:2|3001|3002)/;

type CheckedConfig = Pick<LoadedConfig, 'settings' | 'policies'>;

/** Checks values against the schema and each other; null where they don't fit the schema. */
function checkTree(
  tree: SourceTree,
  files: ReferencedFiles,
  origin: TextOrigin,
  report: (finding: Finding) => void,
): CheckedConfig | null {
  retypeVariables(tree, configSchema());
  const parsed = configSchema().safeParse(tree.root);
  if (!parsed.success) {
    for (const finding of findingsOf(parsed.error.issues, configSchema(), tree)) report(finding);
  }
  const config = parsed.success ? partsOf(parsed.data) : salvage(tree.root);
  const { directory, wallMs, mode = 0o600 } = origin;
  const context = { config, tree, files, directory, wallMs, isWorldReadable: isWorldReadable(mode), report };
  validate(context);
  const policies = compilePolicies(context);
  return parsed.success ? { settings: parsed.data, policies } : null;
}

const nothingSaid: Finding = {
  code: 'FL1004',
  path: [],
  message: 'the file says nothing: a configuration has listeners, routes and upstreams (see examples/minimal.yaml)',
};

function failed(problems: readonly Problem[], source: SourceText, named: readonly string[] = []): LoadResult {
  return { ok: false, problems: inOrder(problems, source), named, isReadable: true };
}

/** In the order of the file, with their lines; where there are too many, warnings are left out first. */
function inOrder(problems: readonly Problem[], source: SourceText): Problem[] {
  const isTooMuch = problems.length > MOST_PROBLEMS;
  const told = isTooMuch ? [...problems.filter(isError), ...problems.filter((problem) => !isError(problem))] : problems;
  const kept = told.slice(0, MOST_PROBLEMS).toSorted(byPlace);
  return kept.map((problem) =>
    problem.code === nothingSaid.code ? problem : { ...problem, excerpt: source.excerptAt(problem.span) },
  );
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function wholeFile(file: string, finding: Finding): Problem {
  return problemAt(file, { line: 1, column: 1, length: 1 }, finding);
}

/** Reads a file up to the limit and no further. */
function readBounded(file: string): { readonly text: string; readonly mode: number } | Finding {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK the opening of a named pipe waits for a writer, for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile()) return fault('FL1001', `the configuration file ${kindOf(status)}`);
    const text = decoded(readUpTo(descriptor, LARGEST_BYTES + 1));
    return typeof text === 'string' ? { text, mode: status.mode & 0o777 } : text;
  } catch (error) {
    return fault('FL1001', `the configuration file ${reasonOf(error)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'is a directory';
  const kind = status.isFIFO() ? 'a pipe' : status.isSocket() ? 'a socket' : 'a device';
  return `is ${kind}: a regular file is needed, for it is read again at every reload`;
}

function readUpTo(descriptor: number, mostBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < mostBytes) {
    const chunk = Buffer.alloc(Math.min(65_536, mostBytes - total));
    const count = readSync(descriptor, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}

function decoded(bytes: Buffer): string | Finding {
  if (bytes.length > LARGEST_BYTES) return fault('FL1002', 'the file is larger than 4 MiB, the most that is read');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const found = isWide ? ' but UTF-16' : ' (it may be Latin-1)';
    return fault('FL1003', `the file is not UTF-8 text${found}: save it as UTF-8`);
  }
}

function fault(code: ProblemCode, message: string): Finding {
  return { code, message, path: [] };
}
