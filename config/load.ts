// Loads a configuration file: valid settings, or all problems at once. Thread: main.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { Document } from 'yaml';
import { systemClock } from '../core/clock.ts';
import type { Environment } from './yaml/environment.ts';
import { loadPlugins } from './policies/load-plugins.ts';
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
import { foreignConfig } from './yaml/foreign-config.ts';
import { writtenConfig } from './yaml/written-config.ts';
import { parseYaml } from './yaml/yaml-text.ts';

/** Size limit of a file: 10,000 endpoints written as mappings have about half a megabyte. */
const LARGEST_BYTES = 4 * 1024 * 1024;
/** Limit of reported problems. */
const MOST_PROBLEMS = 1000;

/** A valid configuration. */
export interface LoadedConfig {
  /** Path of the file as given. */
  readonly file: string;
  /** Absolute directory that relative paths in the file refer to. */
  readonly directory: string;
  readonly settings: Config;
  /** Compiled options of the policies. */
  readonly policies: CompiledPolicies;
  /** Texts of the referenced files, by their name in the configuration. */
  readonly files: ReadonlyMap<string, string>;
  /** The values as written, without secrets, for display. Computed on demand, because it takes a while. */
  readonly written: () => Readonly<Record<string, unknown>>;
  /** The values as written, with variables substituted and secrets included. */
  readonly values: () => Readonly<Record<string, unknown>>;
}

export type LoadResult =
  | { readonly ok: true; readonly config: LoadedConfig; readonly warnings: readonly Problem[] }
  | {
      readonly ok: false;
      /** Errors and warnings in the order of the file; at least one error. */
      readonly problems: readonly Problem[];
      /** Files that the configuration refers to, as far as known. */
      readonly named: readonly string[];
      /** False if the file itself could not be read: exit code 2 instead of 1. */
      readonly isReadable: boolean;
    };

/**
 * Loads a configuration file. Never throws, whatever the file contains and whether it exists.
 * @param environment variables for `${NAME}`, normally process.env
 */
export function loadConfig(file: string, environment: Environment): LoadResult {
  const read = readBounded(file);
  const directory = path.dirname(path.resolve(file));
  if (!('text' in read))
    return { ok: false, problems: [wholeFile(file, read)], named: [], isReadable: read.code !== 'FL1001' };
  const { text, mode } = read;
  return loadConfigText(text, { file, directory, environment, wallMs: systemClock.wallMs(), mode });
}

/** Origin of a configuration text, and the context in which it is checked. */
export interface TextOrigin {
  readonly file: string;
  readonly directory: string;
  readonly environment: Environment;
  /** Time of the check in ms since 1970, for expiry of certificates. */
  readonly wallMs: number;
  /** Permission bits of the file, as in chmod(1); private if absent. */
  readonly mode?: number;
}

/** Loads a configuration from its text. Never throws, whatever the text contains. */
export function loadConfigText(text: string, origin: TextOrigin): LoadResult {
  const source = new SourceText(text);
  const yaml = parseYaml(source);
  if (!yaml.ok) {
    const foreign = foreignConfig(source);
    if (foreign !== null) return failed([problemAt(origin.file, foreign.span, foreign.finding)], source);
    const found = yaml.findings.map(({ span, finding }) => problemAt(origin.file, span, finding));
    return failed(found, source);
  }
  const tree = new SourceTree(source, yaml.document, origin.environment);
  const problems = tree.findings.map(({ span, finding }) => problemAt(origin.file, span, finding));
  if (tree.root === undefined) return failed(problems, source);
  if (tree.root === null) return failed([...problems, wholeFile(origin.file, emptyFile)], source);
  const report = reporterTo(problems, tree, origin.file);
  const files = new ReferencedFiles(origin.directory);
  const checked = checkTree(tree, files, origin, report);
  if (checked === null || problems.some(isError)) {
    const foreign = checked === null ? foreignConfig(source) : null;
    const found = foreign === null ? problems : [problemAt(origin.file, foreign.span, foreign.finding)];
    return failed(found, source, files.names());
  }
  const { file, directory } = origin;
  const written = () => writtenConfig(source, yaml.document);
  const values = () => valuesOf(source, yaml.document, origin.environment);
  const config = { file, directory, ...checked, files: files.texts(), written, values };
  return { ok: true, config, warnings: inOrder(problems, source) };
}

/** Builds the values on demand: a running process doesn't keep them. */
function valuesOf(source: SourceText, document: Document.Parsed, environment: Environment) {
  const tree = new SourceTree(source, document, environment);
  retypeVariables(tree, configSchema());
  return tree.root as Readonly<Record<string, unknown>>;
}

/** Returns a reporter that drops consequences of an earlier problem with the same value. */
function reporterTo(problems: Problem[], tree: SourceTree, file: string): (finding: Finding) => void {
  const reported = new Set(problems.filter(({ code }) => UNKNOWN_VALUE.test(code)).map((problem) => problem.path));
  return (finding) => {
    const problem = problemAt(file, tree.spanOf(finding.path, finding.part ?? 'value', finding.mark), finding);
    if (reported.has(problem.path) && DEPENDENT.test(problem.code)) return;
    if (problem.code.startsWith('FL2') && problem.path !== '') reported.add(problem.path);
    problems.push(problem);
  };
}

/** Problems that leave the value unknown: a broken alias, tag or variable. */
const UNKNOWN_VALUE = /^FL(?:1105|1109|12)/;
/** Problems that follow from an earlier one with the same value: its shape, and references. */
const DEPENDENT = /^FL(?:2|3001|3002)/;

type CheckedConfig = Pick<LoadedConfig, 'settings' | 'policies'>;

/** Validates the values; null if they don't fit the schema. */
function checkTree(
  tree: SourceTree,
  files: ReferencedFiles,
  origin: TextOrigin,
  report: (finding: Finding) => void,
): CheckedConfig | null {
  const { directory, environment, wallMs, mode = 0o600 } = origin;
  const plugins = loadPlugins({ tree, files, directory, report });
  retypeVariables(tree, configSchema());
  const parsed = configSchema().safeParse(tree.root);
  if (!parsed.success) {
    for (const finding of findingsOf(parsed.error.issues, configSchema(), tree)) report(finding);
  }
  const config = parsed.success ? partsOf(parsed.data) : salvage(tree.root);
  const context = {
    config,
    tree,
    files,
    directory,
    environment,
    wallMs,
    isWorldReadable: isWorldReadable(mode),
    report,
  };
  validate(context);
  const policies = compilePolicies(plugins, context);
  return parsed.success ? { settings: parsed.data, policies } : null;
}

const emptyFile: Finding = {
  code: 'FL1004',
  path: [],
  message: 'the file is empty: a configuration has listeners, routes and upstreams (see examples/minimal.yaml)',
};

function failed(problems: readonly Problem[], source: SourceText, named: readonly string[] = []): LoadResult {
  return { ok: false, problems: inOrder(problems, source), named, isReadable: true };
}

/** Sorts problems by location and adds excerpts; if there are too many, warnings are dropped first. */
function inOrder(problems: readonly Problem[], source: SourceText): Problem[] {
  const isTooMany = problems.length > MOST_PROBLEMS;
  const errorsFirst = isTooMany
    ? [...problems.filter(isError), ...problems.filter((problem) => !isError(problem))]
    : problems;
  const kept = errorsFirst.slice(0, MOST_PROBLEMS).toSorted(byPlace);
  return kept.map((problem) =>
    problem.code === emptyFile.code ? problem : { ...problem, excerpt: source.excerptAt(problem.span) },
  );
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function wholeFile(file: string, finding: Finding): Problem {
  return problemAt(file, { line: 1, column: 1, length: 1 }, finding);
}

/** Reads a file up to the size limit. */
function readBounded(file: string): { readonly text: string; readonly mode: number } | Finding {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK opening a named pipe would block until a writer appears.
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
  return `is ${kind}: a regular file is required, because it is read again at every reload`;
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
  if (bytes.length > LARGEST_BYTES) return fault('FL1002', 'the file is larger than 4 MiB, the size limit');
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
