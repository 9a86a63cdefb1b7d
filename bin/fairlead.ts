#!/usr/bin/env node
// The command `fairlead`. No types and no static imports here: an old Node must be able to read it (bin/package.json
// makes it CommonJS) and say in one line that it is too old, instead of failing on the first `.ts`. Thread: main.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  void import('./commands/cli.ts');
} else {
  console.error(
    `Fairlead needs Node >= 24.12, this is v${process.versions.node}; run it through npm (npm start), ` +
      'which uses the Node 26 that npm ci installs',
  );
  process.exitCode = 2;
}
