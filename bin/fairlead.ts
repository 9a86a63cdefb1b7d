#!/usr/bin/env node
// Entry of the command `fairlead`. No types and no static imports here: an old Node must be able to parse it
// (bin/package.json makes it CommonJS) and report its version instead of failing on the first `.ts`. Thread: main.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  void import('./commands/compile-cache.ts').then(({ useCompileCache }) => {
    useCompileCache(process.env);
    return import('./commands/cli.ts');
  });
} else {
  // A checkout has a Node of its own; an installed package doesn't.
  const advice = __filename.endsWith('.ts')
    ? 'run it through npm (npm start), which uses the Node 26 that npm ci installs'
    : 'install a newer Node, or add one to the project: npm install node@26, then npx fairlead';
  console.error(`Fairlead needs Node >= 24.12, this is v${process.versions.node}; ${advice}`);
  process.exitCode = 2;
}
