// Checks the length of functions and classes, tests included.
// Usage: node scripts/check-sizes.ts [--root DIR]. Exit code 1 when a limit is broken without a reason. Thread: main.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkSizes, type SizeLimits, type SizeReport } from './checks/check-sizes-rules.ts';
import { formatFindings, readSourceFiles } from './checks/source-files.ts';

const LIMITS: SizeLimits = { functionAim: 25, functionStop: 60, classStop: 250, fileAim: 200 };

function main(): void {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = values.root ?? path.resolve(import.meta.dirname, '..');
  const report = checkSizes(readSourceFiles(root), LIMITS);
  for (const line of formatFindings(report.findings)) console.log(line);
  for (const exception of report.exceptions) console.log(`exception: ${exception}`);
  console.log(describeReport(report));
  if (report.findings.length > 0 || report.fileCount === 0) process.exitCode = 1;
}

function describeReport(report: SizeReport): string {
  const files = `${report.fileCount} files (${report.filesAboveAim} above ${LIMITS.fileAim} lines)`;
  const median = `median ${report.medianFunctionLines} lines, ${report.functionsAboveAim} above ${LIMITS.functionAim}`;
  const functions = `${report.functionCount} functions (${median})`;
  return `check-sizes: ${files}, ${functions}, ${report.exceptions.length} exceptions, ${report.findings.length} too long`;
}

main();
