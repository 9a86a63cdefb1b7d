// Checks the direction of imports, the threads, cycles, barrels and packages of the whole repository (docs/design.md 3).
// Usage: node scripts/check-layers.ts [--root DIR]. Exit code 1 when a rule is broken. Thread: main.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkLayers, type LayerReport, type LayerTables } from './checks/check-layers-rules.ts';
import { formatFindings, readSourceFiles } from './checks/source-files.ts';

/** Permitted imports. To add a folder or a package, add it here and give the reason in the commit. */
const TABLES: LayerTables = {
  ranks: [
    ['core'],
    ['balancers', 'net', 'proxy/http1'],
    ['proxy/http2'],
    ['logging'],
    ['proxy/policies'],
    // The configuration's schema is built from the tables of balancers, checkers and discovery sources.
    ['health/checkers', 'discovery'],
    // And from that of providers, which use the clients of sources.
    ['providers'],
    ['plugins'],
    ['config'],
    ['health', 'proxy/routing', 'proxy/wire', 'proxy/account', 'proxy/files'],
    ['proxy/upstream'],
    ['proxy/placement'],
    ['proxy/exchange'],
    ['proxy/downstream', 'admin'],
    ['proxy/worker.ts'],
    ['control'],
    ['index.ts', 'testing', 'bin'],
  ],
  above: ['scripts', 'test', 'examples'],
  threadOf: { 'admin/dashboard': undefined, bin: 'main', scripts: undefined, test: undefined, examples: undefined },
  filled: [
    'bin',
    'control',
    'core',
    'balancers',
    'config',
    'health',
    'logging',
    'net',
    'providers',
    'proxy',
    'admin',
    'scripts',
    'test',
  ],
  loaders: ['plugins/plugin-library.ts'],
  packages: {
    undici: ['proxy/upstream', 'health', 'discovery', 'control/certificates', 'control/tracing', 'test', 'scripts'],
    'http-proxy-3': ['proxy/upstream', 'scripts'],
    // A kubeconfig is YAML.
    yaml: ['config', 'discovery/kubernetes', 'test'],
    // In core/option-schema.ts for its types alone.
    zod: ['config', 'admin', 'core', 'testing', 'test'],
    pino: ['scripts', 'logging'],
    'prom-client': ['admin', 'test'],
    commander: ['bin', 'scripts'],
    // Behind core/linear-regex.ts.
    re2js: ['core'],
    // Behind proxy/policies/passwords/password-hash.ts.
    bcryptjs: ['proxy'],
    uplot: ['admin'],
    // development only
    autocannon: ['scripts', 'test'],
    ajv: ['test'],
    'fast-check': ['test'],
    mitata: ['scripts'],
    'oxc-parser': ['scripts'],
    'playwright-core': ['scripts', 'test'],
    'write-good': ['scripts'],
  },
};

function main(): void {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = values.root ?? path.resolve(import.meta.dirname, '..');
  const report = checkLayers(readSourceFiles(root), TABLES);
  for (const line of formatFindings(report.findings)) console.log(line);
  console.log(describeReport(report));
  if (report.findings.length > 0) process.exitCode = 1;
}

function describeReport(report: LayerReport): string {
  const folders = [...report.folderCounts].map(([folder, count]) => `${folder} ${count}`).join(', ');
  const seen = `${report.fileCount} files (${folders}), ${report.importCount} imports`;
  const cycles = report.findings.filter((finding) => finding.rule === 'cycle').length;
  const broken = report.findings.length === 0 ? 'no rule broken' : `${report.findings.length} broken rules`;
  return `check-layers: read ${seen}, ${report.workerUrlCount} worker URLs: ${cycles} cycles, ${broken}`;
}

main();
