// Spellings of a path below /admin, and models of servers that read them. The models share no code with the routing that
// they test. Thread: both.

import path from 'node:path';

/** Targets that some server reads as /admin or a path below it, and near misses. */
export const SPELLINGS: readonly string[] = [
  '/admin',
  '/admin/',
  '/admin/users',
  '/admin?x=1',
  '/%61dmin',
  '/%61%64%6D%69%6e',
  '/adm%69n/users',
  '/admin%2Fusers',
  '/admin%2fusers',
  '/admin%5Cusers',
  '/admin\\users',
  '//admin',
  '///admin/users',
  '//x/admin',
  '//x//admin/users',
  '/\\x/admin',
  '\\admin',
  '/%2Fadmin',
  '/%5cadmin',
  '/\\admin',
  '/./admin',
  '/%2e/admin',
  '/%2E/admin/',
  '/x/../admin',
  '/x/%2e%2e/admin',
  '/x/.%2e/admin',
  '/x/%2e./admin/users',
  '/x/..%2fadmin',
  '/x%2f..%2fadmin',
  '/x%2f%2e%2e%2fadmin',
  '/x/..\\admin',
  '/x\\..\\admin',
  '/x/..%5cadmin',
  '/../admin',
  '/../../admin/users',
  '/public/../admin',
  '/public/../admin/users?next=/public',
  '/public/..;/admin',
  '/public/..;x=1/admin',
  '/public/%2e%2e;/admin',
  '/public/x/..;/..;/admin',
  '/admin;/users',
  '/admin;x=1',
  '/;x/admin',
  '/admin%3Bx=1',
  '/.;/admin',
  '/admin/../admin',
  '/admin/../public',
  '/admin/%2e%2e/public',
  '/admin/..%2fpublic',
  '/admin/..;/public',
  '/admin//../public',
  '/admin%00',
  '/admin%00.png',
  '/admin%3fpublic',
  '/admin%23public',
  '/%2561dmin',
  '/%252e/admin',
  '/public/%252e%252e%252fadmin',
  '/public/..%252fadmin',
  '/public/%c0%ae%c0%ae/admin',
  '/public/..%c0%afadmin',
  '/public%c0%af..%c0%afadmin',
  '/public/%e0%80%ae%e0%80%ae/admin',
  '/%u0061dmin',
  '/public/%u002e%u002e/admin',
  '/%%36%31dmin',
  '/%61dmin%2F..%2Fadmin',
  '/public//../../admin',
  '/public/.//../..//admin/x',
];

/** Targets that no server accepts: raw bytes that HTTP excludes from a target. */
export const MALFORMED: readonly string[] = ['/admin\0', '/ad\tmin', '/admin#x', '/adm\x7fin', '/admin\xa0'];

/** One decoding, as most frameworks do it; a malformed escape stays as it is. */
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** Decodes sequences of bytes to ASCII that UTF-8 forbids because they are too long. */
const leniently = (text: string): string =>
  decoded(text)
    .replace(/%u00([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\xe0\x80([\x80-\xbf])/g, (_, last: string) => String.fromCharCode(last.charCodeAt(0) & 0x3f))
    .replace(/([\xc0\xc1])([\x80-\xbf])/g, (_, first: string, last: string) =>
      String.fromCharCode(((first.charCodeAt(0) & 1) << 6) | (last.charCodeAt(0) & 0x3f)),
    );

const pathOnly = (target: string): string => target.split('?', 1)[0]!;

/** The path in which a kind of server looks for its handler. */
export const SERVERS: Readonly<Record<string, (target: string) => string>> = {
  'compares the raw path': pathOnly,
  'decodes, resolves nothing (WSGI, Rack)': (target) => decoded(pathOnly(target)),
  'decodes and resolves (files, Go)': (target) => path.posix.normalize(decoded(pathOnly(target))),
  'resolves and decodes': (target) => decoded(path.posix.normalize(pathOnly(target))),
  'parses a URL (WHATWG)': (target) => decoded(new URL(target, 'http://app.test').pathname),
  'removes parameters (servlets)': (target) => path.posix.normalize(decoded(pathOnly(target).replace(/;[^/]*/g, ''))),
  'decodes, then removes parameters': (target) =>
    path.posix.normalize(decoded(pathOnly(target)).replace(/;[^/]*/g, '')),
  'knows backslashes (IIS)': (target) => path.posix.normalize(leniently(pathOnly(target)).replaceAll('\\', '/')),
  'ends at NUL (C)': (target) => path.posix.normalize(decoded(pathOnly(target)).split('\0', 1)[0]!),
  'parses the decoded path again': (target) => path.posix.normalize(decoded(pathOnly(target)).split(/[?#]/, 1)[0]!),
  'decodes twice': (target) => path.posix.normalize(decoded(decoded(pathOnly(target)))),
};

/** The servers that serve a target as /admin or a path below it. */
export function readAsAdmin(target: string): string[] {
  return Object.entries(SERVERS).flatMap(([name, read]) => (/^\/admin(?:\/|$)/.test(read(target)) ? [name] : []));
}
