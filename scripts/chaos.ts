// Measures availability under faults: Fairlead and each installed peer, with the same requests and the same faults.
// `npm run chaos -- --help` prints the options; docs/chaos.md describes method and figures. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import { preparePrograms } from './peers/program.ts';
import { placeReport } from './bench/report.ts';
import { machineFacts } from './bench/versions.ts';
import { Book } from './chaos/book.ts';
import { type Figures, figuresOf, isClientLate } from './chaos/figures.ts';
import { type ChaosOptions, HELP, MORE_TO_MEASURE, readOptions } from './chaos/options.ts';
import { pinToCore } from './chaos/pin.ts';
import { describeCase, isReady, type Part, programmeOf, type Task, tasksOf } from './chaos/programme.ts';
import { PROXIES } from './chaos/proxies/registry.ts';
import { missesOf, renderReport } from './chaos/report.ts';
import { run } from './chaos/run.ts';
import { storyOf } from './chaos/story.ts';
import { figuresTable } from './chaos/table.ts';
import { StepProgress } from './progress/step-progress.ts';
import { orUsage } from './usage.ts';

const LOAD_CORE = '1';
const PROXY_CORE = '0';

async function main(): Promise<number> {
  const options = orUsage(HELP, () => readOptions(process.argv.slice(2)));
  preparePrograms();
  // Find problems of the document before the measurements.
  if (options.markdownFile !== null) placeIn(options.markdownFile, null);
  const versions = versionsOf(options);
  const installed = PROXIES.filter(({ name }) => versions.has(name));
  const parts = programmeOf(options, installed);
  const book = Book.open(options.resultsFile);
  if (options.isReportOnly) return report(parts, book, versions, options);
  if (options.isPinned) await pinToCore(LOAD_CORE);
  const left = await measureAll(tasksOf(parts), book, versions, options);
  if (left > 0) return MORE_TO_MEASURE;
  return report(parts, book, versions, options);
}

/** Versions of the requested proxies that are installed, by name. */
function versionsOf(options: ChaosOptions): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const proxy of PROXIES.filter(({ name }) => options.proxies.includes(name))) {
    const version = proxy.version();
    console.log(`${proxy.name} ${version ?? 'is not installed'}`);
    if (version !== null) versions.set(proxy.name, version);
  }
  return versions;
}

/** Returns the number of runs that are left. */
async function measureAll(
  tasks: readonly Task[],
  book: Book,
  versions: ReadonlyMap<string, string>,
  options: ChaosOptions,
): Promise<number> {
  const todo = (): readonly Task[] => tasks.filter((task) => !book.isDone(task));
  const progress = new StepProgress(Math.min(options.mostRuns, todo().length));
  for (let count = 0; count < options.mostRuns; count++) {
    const [task] = todo();
    if (task === undefined) return 0;
    const { part, proxy } = task;
    console.log(`\n${part.title}, seed ${part.settings.seed}, ${todo().length} left: ${describeCase(task.case)}`);
    const name = `${proxy.name} ${task.case.name}`.trim();
    const { figures, story } = await progress.step(name, () => measure(task, options));
    if (story.length > 0) console.log([`  ${name}`, ...story].join('\n'));
    console.log(figuresTable([{ seed: part.settings.seed, name, figures }]));
    if (isClientLate(figures)) console.log('the client was late: no times of this run are judged');
    book.add(task, versions.get(proxy.name)!, figures);
  }
  return todo().length;
}

interface Measured {
  readonly figures: Figures;
  /** Lines about the run, where they are wanted. */
  readonly story: readonly string[];
}

async function measure({ proxy, case: { plan, profile } }: Task, options: ChaosOptions): Promise<Measured> {
  const cores = options.isPinned ? PROXY_CORE : `0-${navigator.hardwareConcurrency - 1}`;
  return run({ proxy, plan, profile, workers: options.workers, cores }, async (seen, running) => {
    return { figures: figuresOf(seen), story: options.isVerbose ? await storyOf(seen, running) : [] };
  });
}

/** Prints the report and writes it into the document, if one was named. Returns the exit code. */
function report(
  parts: readonly Part[],
  book: Book,
  versions: ReadonlyMap<string, string>,
  options: ChaosOptions,
): number {
  const measured = parts
    .map((part) => ({ part, results: book.resultsOf(part) }))
    .filter(({ part, results }) => isReady(part, results));
  const text = renderReport(measured, [
    ['date', new Date().toISOString().slice(0, 10)],
    ['command', `\`npm run chaos -- ${process.argv.slice(2).join(' ')}\``],
    ...machineFacts(),
    ...[...versions.keys()].map((name) => [name, book.versionsOf(name).join(', ')] as const),
  ]);
  console.log(`\n${text}`);
  if (options.markdownFile !== null) placeIn(options.markdownFile, text);
  const misses = missesOf(measured);
  console.log(misses.length === 0 ? 'Fairlead holds its aims' : misses.join('\n'));
  return options.isChecked && misses.length > 0 ? 1 : 0;
}

/** @param text null only checks that the document has a place for it */
function placeIn(file: string, text: string | null): void {
  const document = placeReport(readFileSync(file, 'utf8'), text ?? '', 'chaos');
  if (text !== null) writeFileSync(file, document);
}

process.exitCode = await main();
