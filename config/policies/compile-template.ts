// Parses a text with values in braces for a policy or an action, and reports its faults with their location. Thread: main.

import type { OptionProblem, TemplateUse } from '../../core/policy/policy-definition.ts';
import type { Template } from '../../core/template.ts';
import { parseTemplate } from '../values/template-text.ts';
import type { Environment } from '../yaml/environment.ts';

/** @returns the template; one without text where a fault was reported */
export function compileTemplate(
  text: string,
  { form, place, path, file }: TemplateUse,
  environment: Environment,
  report: (problem: OptionProblem) => void,
): Template {
  const outcome = parseTemplate(text, { form, place, environment });
  if (outcome.ok) return outcome.template;
  for (const { at, message, ...fault } of outcome.faults) {
    const where = file === undefined ? '' : `${file}:${lineAndColumn(text, at)}: `;
    report({ ...fault, message: where + message, path });
  }
  return { form, text, parts: [] };
}

function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}
