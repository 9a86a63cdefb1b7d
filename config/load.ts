// Loads a configuration file: valid settings, or all problems at once. Thread: main.

import path from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { ConfigPart } from '../providers/provider.ts';
import type { Environment } from './yaml/environment.ts';
import { readConfigFile } from './files/config-file.ts';
import { resolveGroups } from './groups/resolve-groups.ts';
import { mergeFiles } from './include/merge-files.ts';
import { type Origins, originsOf, providedFiles } from './include/provided-files.ts';
import { ProblemList } from './include/problem-list.ts';
import { FileReader, type FileSet, type SourceFile } from './include/source-files.ts';
import { loadPlugins } from './policies/load-plugins.ts';
import { type CompiledPolicies, compilePolicies } from './policies/compile-policies.ts';
import { partsOf, salvage } from './validate/parsed-config.ts';
import { formatPath, problemAt, type Finding, type Problem } from './problems/problem.ts';
import { MISSING, ReferencedFiles } from './files/referenced-files.ts';
import { retypeVariables } from './yaml/retype-variables.ts';
import { configSchema, type Config } from './schema/schema.ts';
import { findingsOf } from './schema/schema-findings.ts';
import { SourceText } from './yaml/source-text.ts';
import type { SourceTree } from './yaml/source-tree.ts';
import { validate } from './validate/validate.ts';
import { isWorldReadable } from './validate/validate-secrets.ts';
import { foreignConfig } from './yaml/foreign-config.ts';
import { type ShownForm, valuesOf, writtenConfig } from './yaml/written-config.ts';

/** A valid configuration. */
export interface LoadedConfig {
  /** Path of the file as given. */
  readonly file: string;
  /** Absolute directory that relative paths in the file refer to. */
  readonly directory: string;
  /** Length in characters of the file, its included files and the parts of providers. */
  readonly characters: number;
  readonly settings: Config;
  /** Compiled options of the policies. */
  readonly policies: CompiledPolicies;
  /** Texts of the referenced files, by their name in the configuration. */
  readonly files: ReadonlyMap<string, string>;
  readonly included: FileSet;
  /** Where routes and upstreams of providers come from; null where there are none. */
  readonly origins: Origins | null;
  /** A problem with the place of its value, for checks of what the configuration refers to. */
  readonly locate: (finding: Finding) => Problem;
  /** The values without secrets, for display. Computed on demand, because it takes a while. */
  readonly written: (form?: ShownForm) => Readonly<Record<string, unknown>>;
  /** The values with variables substituted and secrets included. */
  readonly values: (form?: ShownForm) => Readonly<Record<string, unknown>>;
}

export type LoadResult =
  | { readonly ok: true; readonly config: LoadedConfig; readonly warnings: readonly Problem[] }
  | {
      readonly ok: false;
      /** Errors and warnings in the order of the file; at least one error. */
      readonly problems: readonly Problem[];
      /** Files that the configuration refers to, as far as known. */
      readonly named: readonly string[];
      readonly included: FileSet;
      /** False if the file itself could not be read: exit code 2 instead of 1. */
      readonly isReadable: boolean;
    };

/**
 * Loads a configuration file. Never throws, whatever the file contains and whether it exists.
 * @param environment variables for `${NAME}`, normally process.env
 * @param parts of providers
 */
export function loadConfig(file: string, environment: Environment, parts: readonly ConfigPart[] = []): LoadResult {
  const read = readConfigFile(file);
  const absolute = path.resolve(file);
  const directory = path.dirname(absolute);
  if ('text' in read) {
    const { text, mode } = read;
    const wallMs = systemClock.wallMs();
    return loadConfigText(text, { file, absolute, directory, environment, wallMs, mode, parts });
  }
  const noun = read.code === 'FL1001' ? 'the configuration file' : 'the file';
  const advice = read.reason === MISSING ? '; fairlead init writes one' : '';
  const problem = problemAt(file, FIRST, { code: read.code, message: `${noun} ${read.reason}${advice}`, path: [] });
  const isReadable = read.code !== 'FL1001';
  return { ok: false, problems: [problem], named: [], included: NO_FILES, isReadable };
}

const FIRST = { line: 1, column: 1, length: 1 };
const NO_FILES: FileSet = { files: [], patterns: [] };

/** Origin of a configuration text, and the context in which it is checked. */
export interface TextOrigin {
  readonly file: string;
  /** Absolute path of the file; the text has none if absent. */
  readonly absolute?: string;
  readonly directory: string;
  readonly environment: Environment;
  /** Time of the check in ms since 1970, for expiry of certificates. */
  readonly wallMs: number;
  /** Permission bits of the file, as in chmod(1); private if absent. */
  readonly mode?: number;
  /** Parts of providers. */
  readonly parts?: readonly ConfigPart[];
}

/** Loads a configuration from its text. Never throws, whatever the text contains. */
export function loadConfigText(text: string, origin: TextOrigin): LoadResult {
  const source = new SourceText(text, origin.file);
  const { directory, environment, absolute = null, mode = 0o600, parts = [] } = origin;
  const problems = new ProblemList();
  const reader = new FileReader(environment, problems);
  const read = reader.read({ source, mode, directory, absolute });
  const file = read === null ? null : withProvided(read, parts, reader);
  const fail = (list: readonly Problem[], named: readonly string[] = []): LoadResult => {
    return { ok: false, problems: list, named, included: reader.fileSet, isReadable: true };
  };
  if (file?.tree.root === null) problems.add(source, FIRST, emptyFile, false);
  // Without one of the files most problems would be consequences.
  const isEmpty = file?.tree.root === null || file?.tree.root === undefined;
  if (file === null || isEmpty || !reader.isComplete) {
    return fail(problems.inOrder(reader.names));
  }
  const tree = merged(file, problems);
  const files = new ReferencedFiles(directory);
  const checked = checkTree(tree, { file, files, origin, problems });
  if (checked === null || problems.hasErrors) {
    const foreign = checked === null ? foreignConfig(source) : null;
    const found = foreign === null ? problems.inOrder(reader.names) : [problemOf(source, foreign)];
    return fail(found, files.names());
  }
  const written = (form: ShownForm = 'written') => writtenConfig(file, form);
  const values = (form: ShownForm = 'written') => valuesOf(file, form, environment);
  const found = { files: files.texts(), included: reader.fileSet };
  const locate = (finding: Finding): Problem => problemIn(tree, finding);
  const origins = originsOf(parts);
  const characters = charactersOf(file);
  const config = { file: origin.file, directory, characters, ...checked, ...found, origins, locate, written, values };
  return { ok: true, config, warnings: problems.inOrder(reader.names) };
}

function charactersOf({ source, includes, provided = [] }: SourceFile): number {
  return [...includes, ...provided].reduce((sum, file) => sum + charactersOf(file), source.text.length);
}

function withProvided(file: SourceFile, parts: readonly ConfigPart[], reader: FileReader): SourceFile {
  const provided = providedFiles(file.tree.root, parts, reader);
  return provided.length === 0 ? file : { ...file, provided };
}

function merged(file: SourceFile, problems: ProblemList): SourceTree {
  return mergeFiles(file, ({ source, key }, finding) => problems.add(source, source.spanOf(key), finding));
}

/** The problem at the value, or at the one around it where the value has a short form. */
function problemIn(tree: SourceTree, finding: Finding): Problem {
  const { length } = finding.path;
  const isWritten = length === 0 || tree.valueAt(finding.path) !== undefined;
  const path = isWritten ? finding.path : finding.path.slice(0, -1);
  const { source, span, path: written } = tree.placeOf(path, finding.part ?? 'value', finding.mark);
  return { ...problemAt(source.file, span, { ...finding, path: written }), excerpt: source.excerptAt(span) };
}

function problemOf(source: SourceText, { span, finding }: NonNullable<ReturnType<typeof foreignConfig>>): Problem {
  return { ...problemAt(source.file, span, finding), excerpt: source.excerptAt(span) };
}

/** Returns a reporter that drops consequences of an earlier problem with the same value. */
function reporterTo(problems: ProblemList, reported: Set<string>, tree: SourceTree): (finding: Finding) => void {
  return (finding) => {
    const { source, span, path: written } = tree.placeOf(finding.path, finding.part ?? 'value', finding.mark);
    const key = `${source.file} ${formatPath(written)}`;
    if (reported.has(key) && DEPENDENT.test(finding.code)) return;
    if (finding.code.startsWith('FL2') && written.length > 0) reported.add(key);
    problems.add(source, span, { ...finding, path: written });
  };
}

/** Problems that leave the value unknown: a broken alias, tag or variable. */
const UNKNOWN_VALUE = /^FL(?:1105|1109|12)/;
/** Problems that follow from an earlier one with the same value: its shape, and references. */
const DEPENDENT = /^FL(?:2|3001|3002)/;

type CheckedConfig = Pick<LoadedConfig, 'settings' | 'policies'>;

interface CheckParts {
  readonly file: SourceFile;
  readonly files: ReferencedFiles;
  readonly origin: TextOrigin;
  readonly problems: ProblemList;
}

/** Validates the values; null if they don't fit the schema. */
function checkTree(written: SourceTree, { file, files, origin, problems }: CheckParts): CheckedConfig | null {
  const { directory, environment, wallMs } = origin;
  const unknown = problems.problems.filter(({ code }) => UNKNOWN_VALUE.test(code));
  const reported = new Set(unknown.map((problem) => `${problem.file} ${problem.path}`));
  const plugins = loadPlugins({ tree: written, files, directory, report: reporterTo(problems, reported, written) });
  const tree = resolveGroups(written, (part) => reporterTo(problems, reported, part));
  const report = reporterTo(problems, reported, tree);
  retypeVariables(tree, configSchema());
  const parsed = configSchema().safeParse(tree.root);
  if (!parsed.success) {
    for (const finding of findingsOf(parsed.error.issues, configSchema(), tree)) report(finding);
  }
  const config = parsed.success ? partsOf(parsed.data) : salvage(tree.root);
  const modes = modesOf(file);
  const isReadableByAll = (at: Finding['path']): boolean =>
    isWorldReadable(modes.get(tree.placeOf(at, 'value').source) ?? 0);
  const facts = { directory, environment, wallMs, isWorldReadable: isReadableByAll };
  const context = { config, tree, files, ...facts, report };
  validate(context);
  const policies = compilePolicies(plugins, context);
  return parsed.success ? { settings: parsed.data, policies } : null;
}

/** Permission bits of each file. */
function modesOf(file: SourceFile, into = new Map<SourceText, number>()): ReadonlyMap<SourceText, number> {
  into.set(file.source, file.mode);
  for (const included of [...file.includes, ...(file.provided ?? [])]) modesOf(included, into);
  return into;
}

const emptyFile: Finding = {
  code: 'FL1004',
  path: [],
  message: 'the file is empty: a configuration has listeners, routes and upstreams (see examples/minimal.yaml)',
};
