// Endurance of TCP sessions (`npm run tcp-endurance`): 10,000 at once that end in every way, 1 GiB each way, and CPU time per
// GiB beside HAProxy's. Options: --connections, --mib, --no-haproxy. Exit code 1 where bytes are lost or something remains.
// Thread: main.

import { preparePrograms } from './peers/program.ts';
import { measureEndurance, mostConnections } from './tcp-endurance/run.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run tcp-endurance -- [--connections 10000] [--mib 1024] [--no-haproxy]
Measures TCP sessions that end in every way, and CPU time per GiB. Ends with 1 where bytes are lost or something remains.

  --mib N        each way, through one session
  --no-haproxy   measures Fairlead alone`;

const { values } = readArguments(USAGE, {
  connections: { type: 'string', default: '10000' },
  mib: { type: 'string', default: '1024' },
  'no-haproxy': { type: 'boolean', default: false },
});
preparePrograms();
const most = mostConnections();
const connections = Math.min(Number(values.connections), most);
if (connections < Number(values.connections)) {
  console.log(
    `${connections} sessions instead of ${values.connections}: a process may have so many descriptors (ulimit -n)`,
  );
}
const options = { connections, mib: Number(values.mib), withHaproxy: !values['no-haproxy'] };
const { faults, figures } = await measureEndurance(options);
for (const line of figures) console.log(line);
for (const fault of new Set(faults)) console.log(`FAULT: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
