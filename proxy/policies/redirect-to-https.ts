// Policy: redirects clients of a listener without TLS to HTTPS, whether or not a route matches. Requests that a trusted
// proxy received over HTTPS pass. Thread: both.

import type { OptionSchemas } from '../../core/option-schema.ts';
import type { CausedReply, PolicyReply } from '../../core/policy/policy.ts';
import { type Template, templateRenderer } from '../../core/template.ts';
import { type TemplateFacts, valueReader } from '../../core/template-values.ts';
import { builtIn } from './built-in.ts';

const HTTPS_PORT = 443;
const NO_HOST: CausedReply = { cause: 'no-host' };

/** Data of the policy in a Snapshot. */
export interface RedirectToHttpsData {
  readonly redirectToHttps: {
    readonly status: number;
    readonly location: Template;
    /** Prefixes of paths that are served without TLS. */
    readonly except: readonly string[];
  };
}

export const redirectToHttps = builtIn({
  name: 'redirect-to-https',
  scope: 'listener',
  stage: 'admit',
  needs: ['reply'],
  options: (schemas) => ({ redirectToHttps: redirectOptions(schemas).optional() }),
  compile: ({ redirectToHttps: options }): RedirectToHttpsData | null => {
    if (options === undefined || options === false) return null;
    const { status, port, except } = options;
    return { redirectToHttps: { status, except, location: locationOf(port) } };
  },
  create: ({ redirectToHttps: data }) => {
    const redirect = redirectOf(data);
    return { onRequest: (exchange) => redirect(exchange) };
  },
  explain({ redirectToHttps: data }, facts): string {
    const reply = redirectOf(data)(facts);
    if (reply === undefined) return 'passes';
    return 'cause' in reply ? 'answers 400, because the request names no host' : `redirects to ${reply.fields![1]}`;
  },
});

/** Whether a listener redirects every request, apart from exceptions. */
export function redirectsToHttps(listener: { readonly redirectToHttps?: object | false | undefined }): boolean {
  return listener.redirectToHttps !== undefined && listener.redirectToHttps !== false;
}

function redirectOptions({ z, count, text }: OptionSchemas) {
  const path = text(
    (given) =>
      /^\/[\x21-\x7e]*$/.test(given) && !/[?#*]/.test(given)
        ? { ok: true, value: given }
        : { ok: false, message: `${JSON.stringify(given)} is not the beginning of a path: write /healthz` },
    { expects: 'the beginning of a path', example: '/.well-known/acme-challenge/' },
  );
  const options = z.strictObject({
    port: count(1, 65_535)
      .default(HTTPS_PORT)
      .describe('Port that clients reach over TLS; 443 is not written in URLs.'),
    status: z
      .literal([301, 302, 307, 308])
      .default(308)
      .describe('Status; 308 and 307 keep the method, 308 and 301 are permanent.'),
    except: z
      .array(path)
      .default([])
      .meta({ expects: 'a list of beginnings of paths such as [/healthz]' })
      .describe('Beginnings of paths that are served without TLS, such as `/.well-known/acme-challenge/`.'),
  });
  return z
    .union([z.literal(false), z.literal(true).transform(() => options.parse({})), options])
    .meta({ expects: 'true, or a mapping with port, status and except', example: 'true' })
    .describe(
      'Redirects requests of this listener to HTTPS, with host and path unchanged, apart from those that a trusted proxy received over HTTPS.',
    );
}

function locationOf(port: number): Template {
  const suffix = port === HTTPS_PORT ? [] : [`:${port}`];
  const parts = ['https://', { name: 'hostname', argument: '' }, ...suffix, { name: 'uri', argument: '' }] as const;
  return { form: 'url', text: `https://{hostname}${suffix.join('')}{uri}`, parts };
}

function redirectOf({ status, location, except }: RedirectToHttpsData['redirectToHttps']) {
  const [render, scheme, host] = [templateRenderer(location), valueReader('scheme', ''), valueReader('hostname', '')];
  return (facts: TemplateFacts): PolicyReply | CausedReply | undefined => {
    if (scheme(facts) === 'https') return undefined;
    const target = facts.request?.target ?? '';
    if (except.some((prefix) => target.startsWith(prefix))) return undefined;
    return host(facts) === '' ? NO_HOST : { status, fields: ['Location', render(facts)] };
  };
}
