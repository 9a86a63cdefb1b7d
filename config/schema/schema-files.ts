// Schema of `routes[].files`: static files of a directory. Thread: main.

import { z } from 'zod';
import type { CacheRule } from '../../core/snapshot/route.ts';
import { isFieldValue } from '../../proxy/http1/field-line.ts';
import { CODINGS } from '../../proxy/policies/accept-encoding.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { filePath, parsedText } from './schema-values.ts';

/** A path below the root: names without `..`. */
function parseRelative(text: string): Parsed<string> {
  const name = text.replace(/^\.?\//, '');
  const isInside = name !== '' && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (isInside && !/[\\\0]/.test(name)) return { ok: true, value: name };
  return { ok: false, message: `${quoted(text)} is not a file below the root: write index.html, or pages/404.html` };
}

const relative = (example: string) => parsedText(parseRelative, { expects: 'a file below the root', example });

function parseCacheKey(text: string): Parsed<Pick<CacheRule, 'kind' | 'text'>> {
  if (text === '*') return { ok: true, value: { kind: 'all', text: '' } };
  if (/^\*[^*/]+$/.test(text)) return { ok: true, value: { kind: 'suffix', text: text.slice(1) } };
  if (/^\/[^*]*$/.test(text)) return { ok: true, value: { kind: 'prefix', text } };
  return { ok: false, message: `${quoted(text)} names no files: write *.html, /assets/, or * for all others` };
}

const cacheValue = z
  .string()
  .refine((text) => text !== '' && isFieldValue(text), { error: 'it must be the value of a header field' })
  .meta({ expects: 'the value of a Cache-Control field', example: 'no-cache' })
  .describe('Cache-Control of these files.');

const cacheRule = cacheValue.describe('Cache-Control of the files that the key names: `*.html`, `/assets/`, or `*`.');

const cacheControl = z
  .union([
    cacheValue.transform((value): CacheRule[] => [{ kind: 'all', text: '', value }]),
    z.record(z.string(), cacheRule).transform((rules, context): CacheRule[] =>
      Object.entries(rules).flatMap(([key, value]) => {
        const parsed = parseCacheKey(key);
        if (parsed.ok) return [{ ...parsed.value, value }];
        context.issues.push({ code: 'custom', message: parsed.message, input: rules, path: [key] });
        return [];
      }),
    ),
  ])
  .meta({
    expects: 'a value, or a mapping of files to values',
    example: '{ "*.html": no-cache, /assets/: "max-age=31536000, immutable" }',
  });

const precompressed = z
  .union([
    z.literal(true).transform(() => [...CODINGS]),
    z.literal(false).transform((): (typeof CODINGS)[number][] => []),
    z.array(z.enum(CODINGS)).min(1),
  ])
  .meta({ expects: 'true, or a list of zstd, br and gzip', example: 'true' });

export const files = z
  .strictObject({
    root: filePath('public').describe('Directory of the files, relative to the directory of the configuration.'),
    index: z
      .array(relative('index.html'))
      .prefault(['index.html'])
      .meta({ expects: 'a list of file names' })
      .describe('Files that answer for a directory; the first one that exists.'),
    spaFallback: relative('index.html')
      .describe(
        'File that answers, with 200, for paths without a file whose last segment has no extension: the views of a single-page application.',
      )
      .optional(),
    precompressed: precompressed
      .default([])
      .describe('Whether `app.js.zst`, `.br` and `.gz` are sent in place of `app.js` to clients that accept them.'),
    cacheControl: cacheControl
      .describe(
        'Cache-Control of the files: one value, or values by `*.ending`, `/path/` and `*`; the first that fits counts.',
      )
      .optional(),
    dotFiles: z
      .boolean()
      .default(false)
      .describe('Whether names with a leading dot are served; `.well-known` always is.'),
  })
  .meta({ expects: 'a mapping with root', example: '{ root: public }' })
  .describe('Serves the files of a directory.');

export type FilesConfig = z.output<typeof files>;
