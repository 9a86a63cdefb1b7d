// A command at a terminal of its own, as a person uses it: waits for texts on the screen and presses keys. Thread: main.

import { execFile } from 'node:child_process';
import type { CommandOutcome } from './fairlead-process.ts';

/** Once the output since the last keys contains `seen`, the keys are sent. */
export interface KeyStep {
  readonly seen: string;
  readonly keys: string;
}

export interface TerminalRun {
  readonly cwd?: string;
  readonly columns?: number;
  readonly steps: readonly KeyStep[];
}

const LIMIT_S = 60;
const DEFAULT_COLUMNS = 100;
const ROWS = 24;

/** Python has pseudo-terminals in its standard library; Node has none. */
const DRIVER = `
import fcntl, json, os, pty, signal, struct, sys, termios
rows, columns, limit, steps = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'xterm'
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
# At the limit the program is killed, so that its output ends.
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(limit)
seen = b''
mark = 0
while True:
    try:
        chunk = os.read(fd, 65536)
    except OSError:
        break
    if not chunk: break
    seen += chunk
    while steps and steps[0]['seen'].encode() in seen[mark:]:
        mark = len(seen)
        os.write(fd, steps.pop(0)['keys'].encode())
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
for step in steps: sys.stderr.write('never seen: ' + step['seen'] + '\\n')
code = os.waitstatus_to_exitcode(status)
sys.exit(99 if steps or code < 0 else code)
`;

/** Runs a program. @returns its exit code, or 99 where a text was never seen or the time is over; its output, with the escape sequences */
export function runInTerminal(
  python: string,
  command: readonly string[],
  { steps, cwd, columns = DEFAULT_COLUMNS }: TerminalRun,
): Promise<CommandOutcome> {
  const args = ['-c', DRIVER, JSON.stringify([ROWS, columns, LIMIT_S, steps]), ...command];
  return new Promise((resolve) => {
    execFile(python, args, cwd === undefined ? {} : { cwd }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
