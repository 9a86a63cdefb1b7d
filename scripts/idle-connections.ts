// Memory of an idle client connection: opens thousands, each after one request, and reads Fairlead's resident memory.
// `npm run idle -- --help`. Thread: main.

import { measureIdleConnections, readOptions, HELP } from './idle-connections/measure.ts';
import { orUsage } from './usage.ts';

const options = orUsage(HELP, () => readOptions(process.argv.slice(2)));
const { bytesEach, open } = await measureIdleConnections(options);
const { isTls, isHttp2, streams } = options;
const kind = `${isHttp2 ? 'HTTP/2, ' : ''}${isTls ? 'TLS' : 'TCP'}, ${options.isFast ? 'fast' : 'general'} path`;
const measured = streams > 0 ? `${open} x ${streams} open streams` : `${open} idle connections`;
console.log(`${measured} (${kind}): ${(bytesEach / 1024).toFixed(1)} KiB of resident memory each`);
const isGood = open === options.connections && bytesEach < options.limitKib * 1024;
if (!isGood)
  console.log(`FAULT: ${options.connections} connections, and under ${options.limitKib} KiB each are wanted`);
process.exitCode = isGood ? 0 : 1;
