// Minutes of mixed traffic with aborting clients: nothing may fail, grow or stay open. `npm run soak -- --help`.
// Thread: main.

import { HELP, readOptions } from './soak/options.ts';
import { runSoak } from './soak/run.ts';
import { orUsage } from './usage.ts';

const options = orUsage(HELP, () => readOptions(process.argv.slice(2)));
const faults = await runSoak(options, (line) => console.log(line));
for (const fault of faults) console.log(`FAULT ${fault}`);
console.log(faults.length === 0 ? 'soak: ok' : `soak: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
