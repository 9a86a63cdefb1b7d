// Refuses a Node that is too old with a clear error. The entries of the package import this file first: modules are
// evaluated in the order of imports, and dependencies crash on an old Node in ways that explain nothing. Thread: both.

/** As in package.json (`engines`) and bin/fairlead.ts. */
const LEAST_MAJOR = 24;
const LEAST_MINOR = 12;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST_MAJOR || (major === LEAST_MAJOR && minor < LEAST_MINOR)) {
  throw new Error(
    `Fairlead needs Node >= ${LEAST_MAJOR}.${LEAST_MINOR}, this is v${process.versions.node}: install a newer Node, ` +
      'or add one to the project (npm install node@26) and run node_modules/.bin/node',
  );
}
