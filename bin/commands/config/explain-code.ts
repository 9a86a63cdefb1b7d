// `fairlead check --explain FL2001`: explains a problem code and its remedy. Thread: main.

import { nearestName } from '../../../config/problems/nearest-name.ts';
import { explainProblem, problemCode } from '../../../config/problems/problem-guide.ts';
import { PROBLEM_CODES } from '../../../config/problems/problem.ts';
import { EXIT } from '../exit-codes.ts';

export function explainCode(text: string): void {
  const code = problemCode(text);
  if (code !== null) {
    console.log(explainProblem(code));
    return;
  }
  const near = nearestName(text, Object.keys(PROBLEM_CODES));
  const hint =
    near === undefined ? 'codes look like FL2001, and docs/config-errors.md lists them' : `did you mean ${near}?`;
  console.error(`fairlead: there is no code ${JSON.stringify(text)}; ${hint}`);
  process.exitCode = EXIT.usage;
}
