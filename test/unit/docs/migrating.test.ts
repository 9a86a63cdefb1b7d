// docs/migrating.md: the keys that it names exist, and the directives that most configurations have are listed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKnownKey, knownKeys } from '../../../config/schema/known-keys.ts';
import { codeSpans, readPage, tablesOf } from './pages.ts';

const ROOTS = new Set(knownKeys().map(({ path: key }) => key.split(/[.[]/)[0]!));
const TABLES = tablesOf(readPage('docs/migrating.md'));
const rowsFrom = (peer: string) => TABLES.find(({ header }) => header[0] === peer)!.rows;

/** Directives by frequency in published configurations, without those of PHP and of caches. */
const EXPECTED: Readonly<Record<string, string>> = {
  nginx: `listen server_name location proxy_pass proxy_set_header upstream ssl_certificate ssl_certificate_key
    ssl_protocols ssl_ciphers return rewrite root index try_files error_page access_log error_log client_max_body_size
    keepalive_timeout proxy_read_timeout proxy_connect_timeout proxy_send_timeout proxy_http_version proxy_buffering
    proxy_redirect proxy_next_upstream gzip add_header expires allow deny auth_basic auth_basic_user_file auth_request
    limit_req limit_conn map include worker_processes worker_connections keepalive least_conn ip_hash hash sticky resolver
    set_real_ip_from real_ip_header proxy_cache stream split_clients stub_status grpc_pass proxy_hide_header`,
  HAProxy: `bind acl use_backend default_backend server balance timeout option cookie http-request http-response redirect
    retries stats stick-table compression`,
};

for (const [peer, names] of Object.entries(EXPECTED)) {
  describe(`the table for ${peer}`, () => {
    const rows = rowsFrom(peer);

    test('names existing keys, and says something in every row', () => {
      for (const { cells, line } of rows) {
        assert.ok(cells.length === 2 && cells.every((cell) => cell !== ''), `line ${line}`);
        const keys = codeSpans(cells[1]!).filter((span) => ROOTS.has(span.split(/[.[]/)[0]!));
        for (const key of keys) assert.ok(isKnownKey(key), `line ${line}: ${key}`);
        const hasNone = /^nothing:|not available|SIGTERM/.test(cells[1]!);
        assert.ok(keys.length > 0 || hasNone, `line ${line}: neither a key nor a reason`);
      }
    });

    test('has the directives that most configurations have', () => {
      const listed = rows.flatMap(({ cells }) => codeSpans(cells[0]!)).map((span) => span.split(/[ ({]/)[0]);
      for (const name of names.split(/\s+/)) assert.ok(listed.includes(name), name);
    });
  });
}
