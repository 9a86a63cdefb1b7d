// deploy/ and the Dockerfile: their commands and files exist, their configurations are valid. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { formatProblem } from '../../../config/problems/problem.ts';
import { loadConfigText } from '../../../config/load.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const COMMANDS = ['program.ts', 'program-start.ts'].map((name) => read(`bin/commands/${name}`)).join('\n');

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Asserts that the command and the options of a command line exist. */
function assertKnown(commandLine: string): void {
  const [command, ...words] = commandLine.trim().split(/\s+/);
  assert.match(COMMANDS, new RegExp(`command\\('${command!}`), commandLine);
  for (const option of words.filter((word) => word.startsWith('--'))) {
    assert.ok(COMMANDS.includes(option), `${option} of ${commandLine}`);
  }
}

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  test('runs without root, has a health check, and starts an existing command', () => {
    assert.match(dockerfile, /^USER 65532:65532$/m);
    const [, check] = /^HEALTHCHECK .*\\\n {2}CMD \["fairlead", "([^"]+)"\]$/m.exec(dockerfile)!;
    const [, list] = /^CMD (\[.*\])$/m.exec(dockerfile)!;
    for (const line of [check!, (JSON.parse(list!) as string[]).join(' ')]) assertKnown(line);
  });

  test('copies existing files, and no tests', () => {
    for (const [, from] of dockerfile.matchAll(/^COPY ([\w.-]+(?: [\w.-]+)*) \.\/?$/gm)) {
      for (const name of from!.split(' ')) assert.ok(name === '.' || existsSync(path.join(ROOT, name)), name);
    }
    assert.match(read('.dockerignore'), /^test$/m);
  });
});

describe('the Compose file', () => {
  const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
    services: Record<string, { command: string[]; read_only?: boolean; cap_drop?: string[]; ports?: string[] }>;
  };

  test('starts an existing command without privileges, and publishes the admin API on loopback alone', () => {
    const { command, read_only: isReadOnly, cap_drop: dropped, ports } = compose.services['fairlead']!;
    assertKnown(command.join(' '));
    assert.deepEqual([isReadOnly, dropped], [true, ['ALL']]);
    assert.ok(ports!.every((port) => port === '8080:8080' || port.startsWith('127.0.0.1:')));
  });

  test('its configuration is valid and names the services of the file', () => {
    const origin = {
      file: 'compose',
      directory: ROOT,
      environment: { FAIRLEAD_ADMIN_TOKEN: 'x'.repeat(48) },
      wallMs: 0,
    };
    const loaded = loadConfigText(read('deploy/compose/config/fairlead.yaml'), origin);
    // The token stays within the networks of Compose.
    const found = (loaded.ok ? loaded.warnings : loaded.problems).filter(({ code }) => code !== 'FL9021');
    assert.deepEqual(found.map(formatProblem), []);
    assert.ok(loaded.ok);
    const hosts = loaded.config.settings.upstreams['app']!.endpoints.map(({ url }) => url.host);
    assert.deepEqual(
      hosts,
      Object.keys(compose.services).filter((name) => name !== 'fairlead'),
    );
  });
});

describe('the systemd units', () => {
  const service = read('deploy/systemd/fairlead.service');

  test('start existing commands', () => {
    const lines = [...service.matchAll(/^Exec\w+=\S+\/fairlead (.+)$/gm)].map(([, line]) => line!);
    assert.equal(lines.length, 2);
    for (const line of lines) assertKnown(line);
  });

  test('give a drain enough time, and keep the sockets open across restarts', () => {
    assert.match(service, /^Type=notify$/m);
    assert.match(service, /^NotifyAccess=all$/m);
    assert.match(service, /^Requires=fairlead\.socket$/m);
    assert.match(read('deploy/systemd/fairlead.socket'), /^FileDescriptorName=web$/m);
    const stopSeconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(service)![1]);
    assert.ok(stopSeconds > 30, 'the default of shutdown.grace is 30 s');
  });

  test('permit writable and executable memory, which V8 needs', () => {
    assert.doesNotMatch(service, /^MemoryDenyWriteExecute=/m);
    assert.match(service, /^NoNewPrivileges=yes$/m);
  });
});

describe('the Kubernetes manifests', () => {
  const manifests = read('deploy/kubernetes/fairlead.yaml');

  test('have a valid configuration without warnings', () => {
    const block = /^ {2}fairlead\.yaml: \|\n((?: {4}.*\n)+)/m.exec(manifests)![1]!;
    const result = loadConfigText(block.replaceAll(/^ {4}/gm, ''), {
      file: 'fairlead.yaml',
      directory: '/',
      environment: { FAIRLEAD_ADMIN_TOKEN: '0123456789abcdef0123456789abcdef' },
      wallMs: 0,
    });
    assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
    // Plain HTTP within the cluster is intended.
    assert.deepEqual(result.warnings.filter(({ code }) => code !== 'FL9021').map(formatProblem), []);
    const { delay, grace } = result.config.settings.shutdown;
    const termination = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifests)![1]);
    assert.ok((delay ?? 0) + grace < termination * 1000, 'the pod may finish its drain');
  });

  test('start an existing command without root on a read-only file system', () => {
    const [, list] = /args: \[(.*)\]/.exec(manifests)!;
    assertKnown(list!.replaceAll(',', ''));
    for (const wanted of ['readOnlyRootFilesystem: true', 'runAsNonRoot: true', 'drop: [ALL]', 'path: /readyz']) {
      assert.ok(manifests.includes(wanted), wanted);
    }
  });
});
