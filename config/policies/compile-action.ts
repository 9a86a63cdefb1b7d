// Compiles the actions of routes that answer by themselves: `respond`, `redirect` and `files`. Thread: main.

import path from 'node:path';
import { contentTypeOf, formOf, PLAIN_TEXT } from '../../core/content-type.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import type { FilesAction, LocalAction } from '../../core/snapshot/route.ts';
import type { Template, TemplateForm, TemplateValue } from '../../core/template.ts';
import { quoted } from '../../core/option-schema.ts';
import type { ValueName } from '../../core/template-values.ts';
import { checkGroups } from '../../proxy/policies/rewrite.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import type { CheckContext } from '../validate/parsed-config.ts';
import type { FilesConfig } from '../schema/schema-files.ts';
import { faultOfDirectory, statsAt } from '../files/path-kind.ts';

/** The action of a route without an upstream; null for others. Reports every problem. */
export function compileAction(
  { respond, redirect, files: served }: RouteConfig,
  context: CompileContext,
  files: CheckContext['files'],
): LocalAction | FilesAction | null {
  if (respond !== undefined) return compileRespond(respond, context, files);
  if (served !== undefined) return compileFiles(served, context);
  if (redirect === undefined) return null;
  const at = ['redirect', 'to'];
  const location = context.template(redirect.to, { form: 'url', place: 'answer', path: at });
  const fault = location.parts.length === 0 && redirect.to !== '' ? null : faultOfTarget(location);
  if (fault !== null) context.report({ code: 'FL2006', message: `${quoted(redirect.to)} ${fault}`, path: at });
  const { status, regex } = redirect;
  if (regex === undefined) return { kind: 'redirect', status, location };
  checkGroups(regex, ['redirect', 'regex', 'replace'], context.report);
  return { kind: 'redirect', status, location, regex: { match: regex.match, replacement: regex.replace } };
}

function compileRespond(
  { status, body, file, values, contentType }: NonNullable<RouteConfig['respond']>,
  context: CompileContext,
  files: CheckContext['files'],
): LocalAction {
  if (body !== undefined && file !== undefined) {
    const message = 'a response has a body or a file, not both: keep one of them';
    context.report({ code: 'FL3007', message, path: ['respond', 'file'], part: 'key' });
  }
  const type = contentType ?? (file === undefined ? PLAIN_TEXT : contentTypeOf(file));
  const common = { kind: 'respond', status, contentType: type } as const;
  const form = formOf(type);
  if (file === undefined) {
    return { ...common, isBinary: false, body: bodyOf(body ?? '', form, values ?? true, ['respond', 'body'], context) };
  }
  const at = ['respond', 'file'];
  const text = context.readFile(file, at) ?? '';
  if (values === true) return { ...common, isBinary: false, body: bodyOf(text, form, true, at, context, file) };
  const read = files.read(file);
  return { ...common, isBinary: true, body: literal(read.ok ? read.bytes.toString('latin1') : '', form) };
}

function bodyOf(
  text: string,
  form: TemplateForm,
  hasValues: boolean,
  at: readonly string[],
  context: CompileContext,
  file?: string,
): Template {
  if (!hasValues) return literal(text, form);
  return context.template(text, {
    form,
    place: 'answer',
    path: at,
    ...(file !== undefined && { file: path.basename(file) }),
  });
}

function literal(text: string, form: TemplateForm): Template {
  return { form, text, parts: text === '' ? [] : [text] };
}

const TARGET_RULE = 'write https://host/path, {scheme}://{host}{uri}, or a path that begins with a single /';

/** Values that a host may be made of: of others a client could make a link to a host of its choice (open redirect). */
const HOST_VALUES: readonly ValueName[] = ['host', 'hostname', 'port'];
const PATH_VALUES: readonly ValueName[] = ['uri', 'path'];

/** Fault of the target of a redirect, as the rest of a sentence; null where there is none. */
function faultOfTarget({ parts }: Template): string | null {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      const fault = faultOfValue(part, text);
      if (fault !== null) return fault;
      text += part.name === 'scheme' ? 'https' : PATH_VALUES.includes(part.name) ? '/x' : 'x';
    }
  }
  const isTarget = /^(?:https?:\/\/[^/\s]|\/(?!\/))[\x21-\x7e]*$/i.test(text) || text === '/';
  return isTarget ? null : `is not a redirect target: ${TARGET_RULE}`;
}

/** @param before text before the value */
function faultOfValue({ name, argument }: TemplateValue, before: string): string | null {
  const shown = `{${name}${argument}}`;
  if (before === '') {
    const mayBegin = name === 'scheme' || PATH_VALUES.includes(name);
    return mayBegin ? null : `begins with ${shown}, so that a client could choose the host: ${TARGET_RULE}`;
  }
  const isInHost = /^https?:\/\/[^/?#]*$/i.test(before);
  if (!isInHost || HOST_VALUES.includes(name) || PATH_VALUES.includes(name)) return null;
  return `has ${shown} in its host, so that a client could choose that: use {host}, or write a / before it`;
}

/** Reports a directory or a fallback that doesn't exist. */
function compileFiles(files: FilesConfig, { directory, report }: CompileContext): FilesAction {
  const { root, spaFallback = '', cacheControl = [], ...rest } = files;
  const absolute = path.resolve(directory, root);
  const fault = faultOfDirectory(absolute);
  if (fault !== null) {
    const message = `the directory ${root} ${fault}: name the directory of the files`;
    report({ code: 'FL4001', message, path: ['files', 'root'] });
  } else if (spaFallback !== '' && statsAt(path.join(absolute, spaFallback))?.isFile() !== true) {
    const message = `there is no file ${spaFallback} in ${root}`;
    report({ code: 'FL4001', message, path: ['files', 'spaFallback'] });
  }
  return { kind: 'files', files: { ...rest, root: absolute, spaFallback, cacheControl } };
}
