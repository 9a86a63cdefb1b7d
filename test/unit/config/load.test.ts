// Loading: unreadable files, limits against hostile ones, anchors, and the example of docs/design.md 6. Thread: main.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig, loadConfigText } from '../../../config/load.ts';
import { formatProblem } from '../../../config/problems/problem.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { shortOrLong } from '../../support/test-length.ts';
import { DESIGN_EXAMPLE } from './design-example.ts';
import { load, messagesFor, WALL_MS } from './golden-cases.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'fairlead-config-'));
after(() => rmSync(directory, { recursive: true }));

function fileWith(name: string, content: string | Buffer): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

/** Runs `act` as an unprivileged user if the tests run as root, who can read everything. */
function asNobody<Result>(act: () => Result): Result {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

function codesOf(text: string): string[] {
  const result = load(text);
  return (result.ok ? result.warnings : result.problems).map((problem) => problem.code);
}

const CERTIFICATES = privateCertificates();
const VALID = `listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`;

describe('a configuration file', () => {
  test('that is missing or a directory is unreadable', () => {
    for (const file of [path.join(directory, 'missing.yaml'), directory]) {
      const result = loadConfig(file, {});
      assert.ok(!result.ok && !result.isReadable);
      assert.deepEqual(
        result.problems.map((problem) => problem.code),
        ['FL1001'],
      );
      assert.equal(result.problems[0]?.file, file);
    }
  });

  test('that is a pipe or device is refused without blocking', () => {
    const pipe = path.join(directory, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    const kinds = { [pipe]: 'is a pipe', '/dev/zero': 'is a device' };
    for (const [file, kind] of Object.entries(kinds)) {
      const result = loadConfig(file, {});
      assert.ok(!result.ok && !result.isReadable);
      assert.match(result.problems[0]?.message ?? '', new RegExp(kind));
    }
  });

  test('without read permission is unreadable', () => {
    const file = fileWith('closed.yaml', VALID);
    chmodSync(file, 0);
    const result = asNobody(() => loadConfig(file, {}));
    assert.ok(!result.ok && !result.isReadable);
    assert.match(result.problems[0]?.message ?? '', /is not readable by this user/);
  });

  test('that is valid gives settings and its directory', () => {
    const result = loadConfig(fileWith('valid.yaml', VALID), {});
    assert.ok(result.ok);
    assert.equal(result.config.directory, directory);
    assert.deepEqual(result.warnings, []);
  });

  test('that is invalid counts as readable', () => {
    const result = loadConfig(fileWith('invalid.yaml', 'workers: 0'), {});
    assert.ok(!result.ok && result.isReadable);
  });

  test('may begin with a byte order mark and have Windows line endings', () => {
    const result = loadConfig(fileWith('windows.yaml', `\uFEFF${VALID.replaceAll('\n', '\r\n')}colour: blue\r\n`), {});
    assert.ok(!result.ok);
    assert.deepEqual(result.problems[0]?.span, { line: 4, column: 1, length: 6 });
  });

  test('that is not UTF-8 is refused', () => {
    const result = loadConfig(fileWith('latin.yaml', Buffer.from('name: b\xfccher', 'latin1')), {});
    assert.deepEqual(!result.ok && result.problems.map((problem) => problem.code), ['FL1003']);
    const wide = loadConfig(fileWith('wide.yaml', Buffer.from(`\uFEFF${VALID}`, 'utf16le')), {});
    assert.match((!wide.ok && wide.problems[0]?.message) || '', /but UTF-16: save it as UTF-8/);
  });

  test('with control characters, or bare CR line endings, is refused at the first of them', () => {
    const messagesOf = (text: string): string[] => messagesFor(text).filter((_, line) => line % 3 === 0);
    assert.deepEqual(messagesOf(`${VALID}workers: "\0"\n`), [
      'fairlead.yaml:4:11: the control character U+0000 is not allowed in YAML: remove it, or write \\x00 in double quotes [FL1101]',
    ]);
    assert.deepEqual(messagesOf(`# a comment\u001b[2J\n${VALID}`).length, 1);
    assert.deepEqual(messagesOf(`# ${VALID.replaceAll('\n', '\r')}`), [
      `fairlead.yaml:1:${VALID.indexOf('\n') + 3}: carriage return without line feed: save the file with Unix (LF) or Windows (CR LF) line endings [FL1101]`,
    ]);
    assert.deepEqual(messagesOf(`${VALID}x-text: "\t\u0085é"\r\n`), []);
  });

  test('of more than 4 MiB is refused before parsing', () => {
    const result = loadConfig(fileWith('large.yaml', Buffer.alloc(10 * 1024 * 1024, '[')), {});
    assert.deepEqual(!result.ok && result.problems.map((problem) => problem.code), ['FL1002']);
  });
});

describe('a hostile text is refused in bounded time', () => {
  const LAUGHS = Array.from({ length: 30 }, (_, n) => `x-${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(9)}*l${n}]`).join(
    '\n',
  );
  const MERGES = Array.from({ length: 2000 }, (_, n) => `x-m${n}: { <<: *big, k${n}: 1 }`).join('\n');
  const hostile = {
    'a million brackets': ['['.repeat(1_000_000), 'FL1103'],
    'a million braces': ['{a: '.repeat(250_000), 'FL1103'],
    'a million dashes': ['- '.repeat(1_000_000), 'FL1103'],
    'a million explicit keys': ['? '.repeat(1_000_000), 'FL1103'],
    'mappings nested by indentation': [
      Array.from({ length: 200 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'),
      'FL1103',
    ],
    'more tokens than any configuration has': [`a: [${'1,'.repeat(1_000_000)}]`, 'FL1104'],
    'billion laughs': [`x-0: &l0 [lol]\n${LAUGHS}\n${VALID}`, 'FL1104'],
    'a large mapping merged again and again': [
      `x-big: &big {${Array.from({ length: 2000 }, (_, n) => `a${n}: 1`).join(', ')}}\n${MERGES}\n${VALID}`,
      'FL1104',
    ],
    'very many documents': ['---\n'.repeat(shortOrLong(60_000, 400_000)), 'FL1108'],
  } as const;
  for (const [name, [text, code]] of Object.entries(hostile)) {
    test(name, () => assert.deepEqual(codesOf(text), [code]));
  }

  test('many keys in one mapping are compared once each', () => {
    const text = Array.from({ length: shortOrLong(30_000, 100_000) }, (_, n) => `k${n}: 1`).join('\n');
    assert.equal(codesOf(`${VALID}${text}`).length, 1000);
  });

  test('keys that every object inherits are harmless', () => {
    const codes = codesOf('constructor: 1\ntoString: 2\n__proto__: { polluted: yes }\nhasOwnProperty: 3\n');
    assert.deepEqual(codes.toSorted(), ['FL1107', 'FL2001', 'FL2001', 'FL2001', 'FL2002', 'FL2002']);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('anchors', () => {
  test('under top-level x- keys are shared and merged; own keys win', () => {
    const result = load(`
x-health: &health { heartbeat: { path: /up } }
x-base: &base
  health: *health
  timeouts: { connect: 1s }
${VALID.replace('{ endpoints: [http://a], health: { heartbeat: false } }', '{ <<: *base, endpoints: [http://a], timeouts: { connect: 2s } }')}`);
    assert.ok(result.ok);
    const app = result.config.settings.upstreams['app'];
    assert.equal(app?.timeouts.connect, 2000);
    assert.ok(app?.health.heartbeat !== undefined && app.health.heartbeat !== false);
    assert.equal((app.health.heartbeat as { path?: string }).path, '/up');
  });

  test('that are redefined refer to the newest', () => {
    const text = 'x-a: &p http://a\nx-b: &p http://b\n' + VALID.replace('[http://a]', '[*p]');
    const result = load(text);
    assert.ok(result.ok);
    assert.equal(result.config.settings.upstreams['app']?.endpoints[0]?.url.host, 'b');
  });

  test('x- keys are unknown except at the top level', () => {
    assert.deepEqual(codesOf(VALID.replace('bind: ":80"', 'bind: ":80", x-note: hi')), ['FL2001']);
  });
});

test('the example of the design loads without a warning', () => {
  assert.deepEqual(messagesFor(DESIGN_EXAMPLE), []);
  assert.ok(load(DESIGN_EXAMPLE).ok);
});

test('expired, expiring and not yet valid certificates cause a warning', () => {
  const text = `listeners:
  - name: web
    bind: ":443"
    tls: { certificates: [{ cert: certificates/api.example.com.pem, key: certificates/api.example.com.key }] }
routes: [{ respond: {} }]
`;
  const at = (wallMs: number): string[] => {
    const result = loadConfigText(text, { file: 'f', directory: CERTIFICATES, environment: {}, wallMs });
    assert.ok(result.ok);
    return result.warnings.map((problem) => formatProblem(problem).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'DATE'));
  };
  const expiry = certificateEndMs();
  assert.deepEqual(at(WALL_MS), []);
  assert.deepEqual(at(0), [
    'f:4:35: warning: certificates/api.example.com.pem is not valid before DATE (listeners[0].tls.certificates[0].cert) [FL9006]',
  ]);
  assert.match(at(expiry - 5 * 86_400_000)[0] ?? '', /expires in 5 days/);
  assert.match(at(expiry + 1)[0] ?? '', /expired on DATE: clients will refuse it/);
});

function certificateEndMs(): number {
  const file = path.join(import.meta.dirname, 'certificates/api.example.com.pem');
  return new X509Certificate(readFileSync(file)).validToDate.getTime();
}
