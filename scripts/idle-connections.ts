// Memory of an idle client connection: opens thousands, each after one request, and reads Fairlead's resident memory.
// `npm run idle -- --help`. Thread: main.

import { measureIdleConnections, readOptions, HELP } from './idle-connections/measure.ts';

const options = readOptions(process.argv.slice(2));
if (options === null) console.log(HELP);
else {
  const { bytesEach, open } = await measureIdleConnections(options);
  const kind = `${options.isTls ? 'TLS' : 'TCP'}, ${options.isFast ? 'fast' : 'general'} path`;
  console.log(`${open} idle connections (${kind}): ${(bytesEach / 1024).toFixed(1)} KiB of resident memory each`);
  const isGood = open === options.connections && bytesEach < options.limitKib * 1024;
  if (!isGood) console.log(`FAULT: ${options.connections} connections under ${options.limitKib} KiB each are wanted`);
  process.exitCode = isGood ? 0 : 1;
}
