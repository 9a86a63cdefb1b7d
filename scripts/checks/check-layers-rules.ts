// Rules for layers and threads over a set of parsed files; no I/O. Thread: main.

import { isBuiltin } from 'node:module';
import path from 'node:path';
import { findCycles, type Edge } from './check-layers-cycles.ts';
import { findImports, isBarrel, type ImportReference } from './check-layers-imports.ts';
import { openingComment, type Finding, type SourceFile } from './source-files.ts';

/** Tables for the rules. A place is a folder or a file; the longest match of a path counts. */
export interface LayerTables {
  /** Places by rank, lowest first. An import must go to a lower rank or stay within its place. */
  readonly ranks: readonly (readonly string[])[];
  /** Places above all ranks: they may import everything, and nothing with a rank may import them. */
  readonly above: readonly string[];
  /** Places whose files need not name their thread, with the thread that applies; undefined is any. */
  readonly threadOf: Readonly<Record<string, Thread | undefined>>;
  /** Folders that must hold at least one source file. */
  readonly filled: readonly string[];
  /** Files whose task is to load modules that are named elsewhere: plugins. All others name theirs in plain strings. */
  readonly loaders: readonly string[];
  /** For each npm package, the places that may import it. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

export type Thread = 'main' | 'worker' | 'both';

/** Broken rules, and counts of the checked files and imports. */
export interface LayerReport {
  readonly findings: readonly Finding[];
  readonly fileCount: number;
  readonly importCount: number;
  readonly workerUrlCount: number;
  /** Number of files by top folder. */
  readonly folderCounts: ReadonlyMap<string, number>;
}

interface Layered {
  readonly file: SourceFile;
  readonly place: string | undefined;
  readonly rank: number;
  readonly thread: Thread | undefined;
}

type Tree = ReadonlyMap<string, Layered>;

const ABOVE_ALL = Number.POSITIVE_INFINITY;
const SOURCE_NAME = /\.m?ts$/;
/** Sources, data, plain scripts, and uPlot's module beside those of the dashboard. */
const IMPORTABLE = /\.(m?ts|mjs|json)$|\/uPlot\.esm\.js$/;

/** Checks all files against the tables. */
export function checkLayers(files: readonly SourceFile[], tables: LayerTables): LayerReport {
  const tree: Tree = new Map(files.map((file) => [file.path, layer(file, tables)]));
  const findings: Finding[] = [...emptyFolders(files, tables)];
  const edges: Edge[] = [];
  let importCount = 0;
  let workerUrlCount = 0;
  for (const source of tree.values()) {
    findings.push(...source.file.syntaxErrors, ...checkFile(source, tables));
    const imports = findImports(source.file, (specifier) => tree.has(resolve(source, specifier)));
    importCount += imports.length;
    workerUrlCount += imports.filter((reference) => reference.kind === 'worker URL').length;
    for (const reference of imports) {
      const target = reference.specifier === undefined ? undefined : tree.get(resolve(source, reference.specifier));
      const finding = checkImport(source, reference, target, tables);
      if (finding !== undefined) findings.push(at(source, reference.line, ...finding));
      if (target !== undefined) edges.push({ from: source.file.path, to: target.file.path, line: reference.line });
    }
  }
  findings.push(...findCycles(edges).map(cycleFinding));
  return { findings, fileCount: files.length, importCount, workerUrlCount, folderCounts: countFolders(files) };
}

function layer(file: SourceFile, tables: LayerTables): Layered {
  const place = placeOf(file.path, [...tables.ranks.flat(), ...tables.above]);
  const rank = tables.ranks.findIndex((places) => place !== undefined && places.includes(place));
  const fixedPlace = placeOf(file.path, Object.keys(tables.threadOf));
  const thread = fixedPlace === undefined ? threadNamedBy(file) : tables.threadOf[fixedPlace];
  return { file, place, rank: rank === -1 ? ABOVE_ALL : rank, thread };
}

function placeOf(name: string, places: readonly string[]): string | undefined {
  const fitting = places.filter((place) => name === place || name.startsWith(`${place}/`));
  return fitting.toSorted((a, b) => b.length - a.length)[0];
}

function threadNamedBy(file: SourceFile): Thread | undefined {
  return /\bThread:[\s/*]+(main|worker|both)\b/.exec(openingComment(file))?.[1] as Thread | undefined;
}

function emptyFolders(files: readonly SourceFile[], tables: LayerTables): Finding[] {
  return tables.filled
    .filter((folder) => !files.some((file) => file.path.startsWith(`${folder}/`)))
    .map((folder) => ({ path: folder, line: 1, rule: 'empty folder', message: 'no .ts file was seen here' }));
}

function checkFile(source: Layered, tables: LayerTables): Finding[] {
  const findings: Finding[] = [];
  const name = source.file.path;
  if (source.place === undefined) {
    findings.push(
      at(source, 1, 'no rank', `${path.posix.dirname(name)} has no rank: add it to scripts/check-layers.ts`),
    );
  }
  if (source.thread === undefined && placeOf(name, Object.keys(tables.threadOf)) === undefined) {
    const missing = 'say "Thread: main.", "Thread: worker." or "Thread: both." in the comment that opens the file';
    findings.push(at(source, 1, 'no thread', missing));
  }
  if (isBarrel(source.file)) {
    findings.push(at(source, 1, 'barrel', 'the file only hands on exports: import from the files that define them'));
  }
  return findings;
}

type Broken = readonly [rule: string, message: string];

function checkImport(
  source: Layered,
  reference: ImportReference,
  target: Layered | undefined,
  tables: LayerTables,
): Broken | undefined {
  const { specifier } = reference;
  if (specifier === undefined) {
    if (source.rank === ABOVE_ALL || tables.loaders.includes(source.file.path)) return undefined;
    return ['computed import', 'name the module in a plain string, so that its layer can be seen'];
  }
  if (!specifier.startsWith('.')) return checkPackage(source, specifier, tables);
  if (target !== undefined) return checkRank(source, target) ?? checkThread(source, reference, target);
  if (!IMPORTABLE.test(specifier)) {
    return ['no extension', `write ${specifier} with its extension (.ts)`];
  }
  return SOURCE_NAME.test(specifier) ? ['no such file', `${resolve(source, specifier)} doesn't exist`] : undefined;
}

function checkPackage(source: Layered, specifier: string, tables: LayerTables): Broken | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (isBuiltin(specifier)) return ['builtin', `write node:${specifier}`];
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const places = Object.hasOwn(tables.packages, name) ? tables.packages[name] : undefined;
  if (places === undefined) return ['package', `${name} is in no row of the table in scripts/check-layers.ts`];
  if (placeOf(source.file.path, places) !== undefined) return undefined;
  return [
    'package',
    `${name} may be imported only by ${places.join(', ')}: move this behind a contract of that folder`,
  ];
}

function checkRank(source: Layered, target: Layered): Broken | undefined {
  if (source.rank === ABOVE_ALL || target.rank < source.rank || isSameFolder(source, target)) return undefined;
  const relation = target.rank === source.rank ? 'has the same rank as' : 'ranks above';
  const advice = 'turn the dependency round, or move what both need to a lower rank';
  return ['rank', `${target.file.path} (${target.place}) ${relation} ${source.place}: ${advice}`];
}

function isSameFolder(a: Layered, b: Layered): boolean {
  return a.place === b.place || path.posix.dirname(a.file.path) === path.posix.dirname(b.file.path);
}

function checkThread(source: Layered, reference: ImportReference, target: Layered): Broken | undefined {
  if (source.thread === undefined || target.thread === undefined) return undefined;
  if (reference.kind === 'worker URL') {
    if (source.thread !== 'both' && target.thread === 'worker') return undefined;
    return [
      'thread',
      `a worker URL goes from a main or worker module to a worker module, not ${source.thread} to ${target.thread}`,
    ];
  }
  if (target.thread === 'both' || target.thread === source.thread) return undefined;
  const advice = 'share data through core/ or a message, or make the imported module fit for both threads';
  return ['thread', `a ${source.thread} module imports ${target.file.path}, a ${target.thread} module: ${advice}`];
}

function cycleFinding(cycle: readonly Edge[]): Finding {
  const first = cycle[0]!;
  const names = [...cycle.map((edge) => edge.from), first.from].join(' -> ');
  const message = `${names}: move what they share to a file of its own (types count too)`;
  return { path: first.from, line: first.line, rule: 'cycle', message };
}

function resolve(source: Layered, specifier: string): string {
  return path.posix.join(path.posix.dirname(source.file.path), specifier);
}

function at(source: Layered, line: number, rule: string, message: string): Finding {
  return { path: source.file.path, line, rule, message };
}

function countFolders(files: readonly SourceFile[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { path: name } of files) {
    const folder = name.includes('/') ? name.slice(0, name.indexOf('/')) : '.';
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}
