// Error pages: their options, their compiled form, and the choice of a page for a status and a client. Thread: both.

import { contentTypeOf, formOf, PLAIN_TEXT } from '../../core/content-type.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import { type Template, type TemplateRenderer, templateRenderer } from '../../core/template.ts';
import type { ReplyFacts, TemplateFacts } from '../../core/template-values.ts';
import { preferredType } from '../../core/accept-types.ts';

/** One page in one media type. */
interface PageVariant {
  readonly contentType: string;
  readonly body: Template;
}

/** Pages by status: `404`, or `4xx` and `5xx` for all others of a class. In the order of preference. */
export type ErrorPages = Readonly<Record<string, readonly PageVariant[]>>;

export function pageOptions({ z, oneOrMany, text, fieldValue, filePath }: OptionSchemas) {
  const status = text(
    (given) =>
      /^[45](?:\d\d|xx)$/.test(given)
        ? { ok: true, value: given }
        : { ok: false, message: `${JSON.stringify(given)} is not a status of an error: write 404, 4xx or 5xx` },
    { expects: 'a status such as 404 or 5xx', example: '5xx' },
  );
  const page = z.strictObject({
    file: filePath('pages/error.html').describe('File with the page.').optional(),
    body: z
      .string()
      .meta({ expects: 'text', example: '"{status} {reason}"' })
      .describe('The page itself, instead of `file`.')
      .optional(),
    contentType: fieldValue()
      .describe('Content-Type; if absent, that of the name of `file`, or `text/plain; charset=utf-8`.')
      .optional(),
    values: z.boolean().default(true).describe('Whether values in braces are replaced.'),
  });
  const either = z
    .union([filePath('pages/error.html').transform((file) => page.parse({ file })), page])
    .meta({ expects: 'a file, or a mapping with file or body', example: 'pages/error.html' });
  return z
    .record(status, oneOrMany(either).describe('Page, or pages of several types, of which Accept chooses.'))
    .meta({ expects: 'a mapping of statuses to pages such as { 5xx: pages/5xx.html }' });
}

type PageOptions = OptionsOf<{ pages: ReturnType<typeof pageOptions> }>['pages'];

export function compilePages(options: PageOptions, context: CompileContext): ErrorPages {
  return Object.fromEntries(
    Object.entries(options).map(([status, pages]) => {
      const variants = pages.map((page, index) => {
        const path = ['errorPages', status, ...(pages.length > 1 ? [index] : [])];
        return compilePage(page, path, context);
      });
      return [status, variants];
    }),
  );
}

function compilePage(
  { file, body, contentType, values }: PageOptions[string][number],
  path: readonly (string | number)[],
  context: CompileContext,
): PageVariant {
  if ((file === undefined) === (body === undefined)) {
    context.report({ code: 'FL3007', message: 'a page has either a file or a body', path });
  }
  const type = contentType ?? (file === undefined ? PLAIN_TEXT : contentTypeOf(file));
  const form = formOf(type);
  const text = file === undefined ? (body ?? '') : (context.readFile(file, path) ?? '');
  if (!values) return { contentType: type, body: { form, text: file ?? text, parts: text === '' ? [] : [text] } };
  const template = context.template(text, { form, place: 'reply', path, ...(file !== undefined && { file }) });
  // The file's name is its text for display: a page may be long.
  return { contentType: type, body: file === undefined ? template : { ...template, text: file } };
}

/** A rendered page. */
export interface RenderedPage {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Whether Accept chose among several types. */
  readonly isNegotiated: boolean;
}

interface LiveVariant {
  readonly contentType: string;
  readonly render: TemplateRenderer;
}

interface LivePage {
  readonly types: readonly string[];
  readonly variants: readonly LiveVariant[];
}

/** Pages as workers render them. */
export class LivePages {
  readonly #pages = new Map<string, LivePage>();

  constructor(pages: ErrorPages) {
    for (const [status, variants] of Object.entries(pages)) {
      const types = variants.map(({ contentType }) => contentType.split(';')[0]!.trim().toLowerCase());
      const live = variants.map(({ contentType, body }) => ({ contentType, render: templateRenderer(body) }));
      this.#pages.set(status, { types, variants: live });
    }
  }

  /** The page for a reply; null where there is none that the client accepts. */
  pageFor(facts: TemplateFacts, reply: ReplyFacts): RenderedPage | null {
    const page = this.#pages.get(String(reply.status)) ?? this.#pages.get(reply.status < 500 ? '4xx' : '5xx');
    if (page === undefined) return null;
    const at = preferredType(facts.request?.field('accept'), page.types);
    if (at < 0) return null;
    const { contentType, render } = page.variants[at]!;
    return { contentType, body: Buffer.from(render(facts, reply)), isNegotiated: page.variants.length > 1 };
  }
}
