// Report of a chaos run: facts, goals with their results, and all figures. Pure. Thread: main.

import { table } from '../bench/tables.ts';
import type { Part } from './programme.ts';
import { type ByCase, type Judgement, judge, type Verdict } from './scenarios/aim.ts';
import { figuresTable, type Row } from './table.ts';

/** A part and its results by proxy name. */
export interface Measured {
  readonly part: Part;
  readonly results: ReadonlyMap<string, ByCase>;
}

interface Judged {
  readonly seed: number;
  readonly judgements: readonly Judgement[];
}

/** @param facts lines of name and value: date, machine, versions, command */
export function renderReport(measured: readonly Measured[], facts: readonly (readonly [string, string])[]): string {
  const sections = [...byTitle(measured)].map(([title, ofTitle]) => `### ${title}\n\n${figuresTable(rowsOf(ofTitle))}`);
  const head = facts.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  return `${[head, '### Wanted and measured', aimsTable(measured), ...sections].join('\n\n')}\n`;
}

/** Missed goals, and goals that could not be judged, as text. */
export function missesOf(measured: readonly Measured[]): readonly string[] {
  return measured.flatMap((one) =>
    judgementsOf(one)
      .filter(({ verdict }) => verdict === 'missed' || verdict === 'not judged')
      .map(
        ({ aim, values, verdict }) =>
          `${one.part.title}, seed ${one.part.settings.seed}: ${verdict}: ${aim.what}: ` +
          `${[...values].map(([name, value]) => `${name} ${aim.text(value)}`).join(', ')}; wanted ${aim.wanted}`,
      ),
  );
}

/** One line per goal, with the values of all seeds. */
function aimsTable(measured: readonly Measured[]): string {
  const proxies = [...new Set(['fairlead', ...measured.flatMap(({ results }) => [...results.keys()])])];
  const rows = [...byTitle(measured)].flatMap(([title, ofTitle]) => {
    const judged = ofTitle.map((one) => ({ seed: one.part.settings.seed, judgements: judgementsOf(one) }));
    return (judged[0]?.judgements ?? []).map(({ aim }, index) => [
      title,
      aim.what,
      aim.wanted,
      ...proxies.map((name) => valuesText(judged, index, name)),
      verdictText(judged, index),
    ]);
  });
  return table([['scenario', 'what', 'wanted', ...proxies, 'verdict'], ...rows], 3);
}

function valuesText(judged: readonly Judged[], index: number, proxy: string): string {
  const texts = judged.map(({ judgements }) => {
    const { aim, values } = judgements[index]!;
    const value = values.get(proxy);
    return value === undefined ? '-' : aim.text(value);
  });
  return texts.every((text) => text === texts[0]) ? texts[0]! : texts.join(', ');
}

function verdictText(judged: readonly Judged[], index: number): string {
  const ofVerdict = (verdict: Verdict): readonly number[] =>
    judged.filter(({ judgements }) => judgements[index]!.verdict === verdict).map(({ seed }) => seed);
  const bad = (['missed', 'not judged', 'no peer'] as const)
    .map((verdict) => [verdict, ofVerdict(verdict)] as const)
    .filter(([, seeds]) => seeds.length > 0);
  if (bad.length === 0) return 'met';
  return bad
    .map(([verdict, seeds]) => (seeds.length === judged.length ? verdict : `${verdict} (seed ${seeds.join(', ')})`))
    .join(', ');
}

function judgementsOf({ part, results }: Measured): readonly Judgement[] {
  const fairlead = results.get('fairlead');
  if (fairlead === undefined) return [];
  const peers = new Map([...results].filter(([name]) => name !== 'fairlead'));
  return part.scenario.aims(part.settings).map((aim) => judge(aim, fairlead, peers));
}

function rowsOf(measured: readonly Measured[]): readonly Row[] {
  return measured.flatMap(({ part, results }) =>
    [...results].flatMap(([proxy, byCase]) =>
      [...byCase].map(([name, figures]) => ({ seed: part.settings.seed, name: `${proxy} ${name}`.trim(), figures })),
    ),
  );
}

function byTitle(measured: readonly Measured[]): ReadonlyMap<string, readonly Measured[]> {
  return Map.groupBy(measured, ({ part }) => part.title);
}
