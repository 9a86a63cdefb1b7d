// haproxy-compat.md: its keys exist, every row has one of the three answers, and the directives that web operators use
// are listed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADMIN_ROUTES } from '../../../admin/api/admin-routes.ts';
import { allBalancers } from '../../../balancers/registry.ts';
import { isKnownKey, knownKeys } from '../../../config/schema/known-keys.ts';
import { TAKEN_SIGNALS } from '../../../control/holder/holder-messages.ts';
import { codeSpans, readPage, type Row, tablesOf } from './pages.ts';

const PAGE = readPage('haproxy-compat.md');
const TABLES = tablesOf(PAGE);
const DIRECTIVES = TABLES.filter(({ header }) => header[0] === 'HAProxy' && header[1] === 'Fairlead');
const COMMANDS = TABLES.filter(({ header }) => header[0] === 'HAProxy command');
const SIGNALS = TABLES.filter(({ header }) => header[0] === 'signal');

const rowsOf = (tables: typeof TABLES): readonly Row[] => tables.flatMap((table) => table.rows);
const at = (row: Row): string => `haproxy-compat.md:${row.line}: ${row.cells[1]}`;

/** `not yet`, or `never, because` with a reason. */
const NO_KEY = /^(?:not yet|never, because \S.*[^.\s])$/;
/** A list of keys, or one key with its value. */
const KEYS = /^`[^`]+`(?:(?:, `[^`]+`)*| = [a-z-]+)$/;

/** Names of the first level of the configuration: a span that begins with one of them is a key. */
const ROOTS = new Set(knownKeys().map(({ path: key }) => key.split(/[.[]/)[0]!));
const looksLikeKey = (span: string): boolean =>
  ROOTS.has(span.split(/[.[]/)[0]!) && !span.includes('/') && (/[.[]/.test(span) || isKnownKey(span));

test('the page has tables of each kind, and every row has three cells', () => {
  assert.ok(rowsOf(DIRECTIVES).length > 200, String(rowsOf(DIRECTIVES).length));
  assert.ok(rowsOf(COMMANDS).length > 10);
  assert.equal(SIGNALS.length, 1);
  assert.equal(DIRECTIVES.length + COMMANDS.length + SIGNALS.length, TABLES.length);
  for (const row of TABLES.flatMap(({ rows }) => rows)) assert.equal(row.cells.length, 3, `line ${row.line}`);
});

describe('a directive', () => {
  for (const { heading, rows } of DIRECTIVES) {
    test(`of "${heading}" has one of the three answers, and its keys exist`, () => {
      for (const row of rows) {
        const answer = row.cells[1]!;
        if (NO_KEY.test(answer)) continue;
        assert.match(answer, KEYS, at(row));
        for (const key of codeSpans(answer)) assert.ok(isKnownKey(key), at(row));
      }
    });
  }

  test('that names a balancer names an existing one', () => {
    const named = rowsOf(DIRECTIVES).flatMap(({ cells }) => / = ([a-z-]+)$/.exec(cells[1]!)?.[1] ?? []);
    assert.ok(named.length > 5);
    const names = allBalancers().map(({ name }) => name);
    for (const kind of named) assert.ok(names.includes(kind), kind);
  });

  test('is listed once in its table', () => {
    for (const { heading, rows } of DIRECTIVES) {
      const names = rows.flatMap(({ cells }) => codeSpans(cells[0]!).map((span) => cells[0]!.replace(/`.*`/, span)));
      const doubled = names.filter((name, index) => names.indexOf(name) < index);
      assert.deepEqual(doubled, [], heading);
    }
  });
});

test('every other span that looks like a key is one', () => {
  for (const [index, line] of PAGE.prose.entries()) {
    for (const span of codeSpans(line).filter(looksLikeKey)) assert.ok(isKnownKey(span), `line ${index + 1}: ${span}`);
  }
});

describe('a command of the stats socket', () => {
  const routes = new Set(ADMIN_ROUTES.map(({ method, path: where }) => `${method} ${where}`));
  for (const row of rowsOf(COMMANDS)) {
    test(`${row.cells[0]} has one of the three answers, and its route exists`, () => {
      if (NO_KEY.test(row.cells[1]!)) return;
      const named = codeSpans(row.cells[1]!);
      assert.ok(named.length > 0, at(row));
      for (const route of named) assert.ok(routes.has(route), at(row));
    });
  }
});

test('the signals that have a handler are those of control/holder/holder-messages.ts', () => {
  const handled = TAKEN_SIGNALS.map((signal) => signal.slice('SIG'.length));
  const documented = SIGNALS[0]!.rows.filter(({ cells }) => !/ha(?:s|ve) no handler/.test(cells[2]!));
  assert.deepEqual(documented.map(({ cells }) => cells[0]!).toSorted(), handled.toSorted());
});

/** Directives of the manual's keyword matrix, and options of bind and server, that configurations of web sites contain. */
const EXPECTED = [
  ['maxconn (global)', 'nbthread', 'cpu-map', 'log', 'stats socket', 'chroot', 'user', 'group', 'daemon'],
  ['hard-stop-after', 'tune.bufsize', 'tune.http.maxhdr', 'ssl-default-bind-ciphers', 'ssl-default-bind-options'],
  ['mode http', 'mode tcp', 'bind', 'ssl', 'crt', 'alpn', 'accept-proxy', 'name', 'default_backend', 'use_backend'],
  ['acl', 'hdr(host)', 'path', 'path_beg', 'path_reg', 'method', 'url_param', 'src', 'map', 'use-server'],
  ['balance roundrobin', 'balance static-rr', 'balance leastconn', 'balance first', 'balance source', 'balance uri'],
  ['balance url_param', 'balance hdr', 'balance random', 'balance rdp-cookie', 'balance hash', 'hash-balance-factor'],
  ['hash-type consistent', 'hash-type map-based', 'default-server', 'weight', 'check', 'inter', 'fastinter'],
  ['downinter', 'rise', 'fall', 'port', 'addr', 'backup', 'maxqueue', 'slowstart', 'cookie', 'verify', 'ca-file'],
  ['sni', 'send-proxy', 'observe', 'on-error', 'error-limit', 'on-marked-down', 'resolvers', 'init-addr', 'track'],
  ['disabled', 'minconn', 'agent-check', 'option httpchk', 'http-check expect status', 'option tcp-check', 'tcp-check'],
  ['option redispatch', 'retries', 'retry-on conn-failure', 'timeout connect', 'timeout client', 'timeout server'],
  ['timeout http-request', 'timeout http-keep-alive', 'timeout queue', 'timeout tunnel', 'timeout check'],
  ['timeout client-fin', 'timeout server-fin', 'timeout tarpit', 'option forwardfor', 'http-request set-header'],
  ['http-request del-header', 'http-request return', 'http-request deny', 'http-request redirect', 'errorfile'],
  ['http-response set-header', 'option httplog', 'log-format', 'option tcplog', 'option http-server-close'],
  [
    'option http-keep-alive',
    'http-reuse',
    'compression',
    'stick-table',
    'stats uri',
    'monitor-uri',
    'unique-id-format',
  ],
  ['redirect location', 'redirect scheme', 'rate-limit sessions', 'capture request header', 'option dontlognull'],
  ['unique-id-header', 'peers', 'cache', 'lua-load', 'server-template', 'http-errors', 'option log-health-checks'],
].flat();

test('the directives that web operators use are listed', () => {
  const written = rowsOf(DIRECTIVES).flatMap(({ cells }) => codeSpans(cells[0]!).concat(cells[0]!));
  for (const name of EXPECTED) {
    assert.ok(
      written.some((text) => text.replaceAll('`', '').startsWith(name)),
      name,
    );
  }
});
