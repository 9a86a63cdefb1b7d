// Content types of files that the configuration names, by the extension of their names. Thread: both.

import path from 'node:path';
import type { TemplateForm } from './template.ts';

export const PLAIN_TEXT = 'text/plain; charset=utf-8';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': PLAIN_TEXT,
  '.webp': 'image/webp',
  '.xml': 'application/xml',
};

export function contentTypeOf(file: string): string {
  return TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
}

/** Form of a text of this type, which decides how values in it are encoded. */
export function formOf(contentType: string): TemplateForm {
  const type = contentType.toLowerCase();
  if (/^[\w.-]+\/(?:[\w.-]+\+)?json\b/.test(type)) return 'json';
  return /^[\w.-]+\/(?:[\w.-]+\+)?(?:html|xml)\b/.test(type) ? 'html' : 'text';
}
