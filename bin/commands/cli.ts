// The command `fairlead` as a program. Thread: main.

import { runCommandLine } from './command-line.ts';

await runCommandLine(process.argv);
