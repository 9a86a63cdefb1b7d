// Database servers for tests: a primary and a replica of Redis, PostgreSQL or MariaDB in a temporary folder, on ports of
// loopback. Thread: main.

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/peers/free-port.ts';
import { eventually } from './fairlead.ts';

const run = promisify(execFile);

export const PASSWORD = 'secret of the tests';

/** Two servers, the second one a replica of the first. */
export interface ReplicatedServers {
  readonly ports: readonly [number, number];
  /** Kills the primary. */
  kill(): void;
  /** Makes the replica the primary. */
  promote(): Promise<void>;
}

/** A folder, and processes that end with the test. */
class ServerGroup {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'fairlead-db-'));
  readonly #children: ChildProcess[] = [];
  /** Servers that refuse to run as root run as this user. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;

  constructor(t: TestContext, user: string) {
    this.owner = process.getuid?.() === 0 && user !== '' ? idsOf(user) : undefined;
    chmodSync(this.folder, 0o777);
    t.after(() => {
      for (const child of this.#children) child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
    });
  }

  dir(name: string): string {
    const dir = path.join(this.folder, name);
    mkdirSync(dir, { recursive: true });
    chmodSync(dir, 0o777);
    return dir;
  }

  async start(file: string, args: readonly string[], port: number): Promise<ChildProcess> {
    const child = spawn(file, args, { cwd: this.folder, stdio: 'ignore', ...this.owner });
    this.#children.push(child);
    await eventually(() => accepts(port), `${path.basename(file)} listens on ${port}`);
    return child;
  }

  exec(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
    return run(file, args, { cwd: this.folder, ...this.owner, env: { ...process.env, ...env } });
  }
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Sends one command to a Redis server, and returns the first bytes of its answer. */
function redisCommand(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.write(`AUTH "${PASSWORD}"\r\n${command}\r\nQUIT\r\n`);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

/** @param program redis-server */
export async function startRedis(t: TestContext, program: string): Promise<ReplicatedServers> {
  const group = new ServerGroup(t, '');
  const ports = [await freePort(), await freePort()] as const;
  const common = [
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--repl-diskless-sync-delay',
    '0',
    '--requirepass',
    PASSWORD,
    '--masterauth',
    PASSWORD,
  ];
  const first = await group.start(program, ['--port', String(ports[0]), ...common], ports[0]);
  const replicaOf = ['--replicaof', `127.0.0.1 ${ports[0]}`];
  await group.start(program, ['--port', String(ports[1]), ...common, ...replicaOf], ports[1]);
  await eventually(async () => (await redisCommand(ports[1], 'ROLE')).includes('connected'), 'the replica follows');
  return {
    ports,
    kill: () => void first.kill('SIGKILL'),
    promote: async () => void (await redisCommand(ports[1], 'REPLICAOF NO ONE')),
  };
}

/** @param program postgres; the other programs are beside it */
export async function startPostgres(t: TestContext, program: string): Promise<ReplicatedServers> {
  const group = new ServerGroup(t, 'postgres');
  const ports = [await freePort(), await freePort()] as const;
  const beside = (name: string): string => path.join(path.dirname(realpathSync(program)), name);
  const [primary, replica] = [path.join(group.dir('a'), 'data'), path.join(group.dir('b'), 'data')];
  const passwordFile = path.join(group.folder, 'password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
  const auth = ['--auth-host=scram-sha-256', '--auth-local=trust', `--pwfile=${passwordFile}`];
  await group.exec(beside('initdb'), ['-D', primary, '-U', 'postgres', '--no-sync', ...auth]);
  const start = (data: string, port: number): Promise<ChildProcess> => {
    const settings = ['fsync=off', 'shared_buffers=4MB', 'max_connections=20', 'unix_socket_directories='];
    const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', ...settings.flatMap((one) => ['-c', one])];
    return group.start(program, args, port);
  };
  const first = await start(primary, ports[0]);
  const source = ['-h', '127.0.0.1', '-p', String(ports[0]), '-U', 'postgres'];
  const copy = ['-D', replica, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync', ...source];
  await eventually(
    () =>
      group.exec(beside('pg_basebackup'), copy, { PGPASSWORD: PASSWORD }).then(
        () => true,
        () => false,
      ),
    'the primary is copied',
  );
  await start(replica, ports[1]);
  return {
    ports,
    // An immediate shutdown: a killed postmaster leaves its children behind.
    kill: () => void first.kill('SIGQUIT'),
    promote: async () => void (await group.exec(beside('pg_ctl'), ['promote', '-w', '-D', replica])),
  };
}

/** @param programs mariadbd, mariadb-install-db and mariadb */
export async function startMariadb(
  t: TestContext,
  programs: { readonly server: string; readonly install: string; readonly client: string },
): Promise<ReplicatedServers> {
  const group = new ServerGroup(t, '');
  const ports = [await freePort(), await freePort()] as const;
  const [primary, replica] = [group.dir('a'), group.dir('b')];
  const isRoot = process.getuid?.() === 0;
  const asRoot = isRoot ? ['--user=root'] : [];
  const install = [
    '--no-defaults',
    `--datadir=${primary}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ];
  await group.exec(programs.install, [...install, ...asRoot]);
  cpSync(primary, replica, { recursive: true });
  const start = (data: string, id: number): Promise<ChildProcess> => {
    const port = ports[id - 1]!;
    const small = [
      '--innodb-buffer-pool-size=8M',
      '--innodb-log-file-size=4M',
      '--key-buffer-size=1M',
      '--skip-name-resolve',
    ];
    const files = [`--datadir=${data}`, `--socket=${data}/s`, `--pid-file=${data}/pid`];
    const replication = ['--log-bin=log', `--server-id=${id}`];
    const args = [
      '--no-defaults',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      ...files,
      ...replication,
      ...small,
      ...asRoot,
    ];
    return group.start(programs.server, args, port);
  };
  const sql = (data: string, text: string): Promise<unknown> =>
    group.exec(programs.client, ['--no-defaults', '-uroot', `--socket=${data}/s`, '-e', text]);
  const first = await start(primary, 1);
  await sql(primary, `CREATE USER app@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO app@'127.0.0.1'`);
  await start(replica, 2);
  const source = `MASTER_HOST='127.0.0.1', MASTER_PORT=${ports[0]}, MASTER_USER='app', MASTER_PASSWORD='${PASSWORD}'`;
  await sql(replica, `CHANGE MASTER TO ${source}, MASTER_LOG_FILE='log.000001'; START SLAVE; SET GLOBAL read_only=1`);
  return {
    ports,
    kill: () => void first.kill('SIGKILL'),
    promote: async () => void (await sql(replica, 'STOP SLAVE; SET GLOBAL read_only=0')),
  };
}
