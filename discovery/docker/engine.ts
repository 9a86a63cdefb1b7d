// A Docker or Podman engine: the options that reach it and its containers, and the paths of its API. Thread: main.

import { type OptionProblem, type OptionSchemas, quoted, type ParsedOption } from '../../core/option-schema.ts';
import { type HttpOutcome, parseJson } from '../http/http-client.ts';
import { accessOptions, checkAccess, type HttpAddress, parseHttpAddress } from '../http/http-settings.ts';

const DOCKER_PORT = 2375;
/** Of an error of the engine, in causes. */
const MOST_MESSAGE = 120;
/** Events of containers, and of networks that they join and leave. */
export const ENGINE_EVENTS = '/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D';

/** Options that a source and a provider have in common. */
export function engineOptions(schemas: OptionSchemas) {
  const { z, text } = schemas;
  return {
    address: text(parseEngine, { expects: 'the socket or URL of an engine', example: 'unix:/var/run/docker.sock' })
      .prefault('unix:/var/run/docker.sock')
      .describe('Socket of the engine (`unix:/run/podman/podman.sock` for Podman), or its URL.'),
    tls: accessOptions(schemas).tls,
    network: wordOption(schemas, 'backend')
      .describe(
        'Network whose addresses are used, where containers are in several. The label `fairlead.network` comes first.',
      )
      .optional(),
    reach: z
      .enum(['container', 'published'])
      .default('container')
      .meta({ expects: 'container or published', example: 'published' })
      .describe(
        "Whether to connect to a container's own address, or to the port that is published for it on its host.",
      ),
  };
}

interface EngineOptions {
  readonly address: HttpAddress;
  readonly tls?: Parameters<typeof checkAccess>[0]['tls'];
  readonly network?: string | undefined;
  readonly reach: 'container' | 'published';
}

export function checkEngine({ address, tls, network, reach }: EngineOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [...checkAccess({ tls }, [address])];
  if (reach === 'published' && network !== undefined) {
    const message = '"network" is not allowed with reach: published: ports are published on the host';
    problems.push({ code: 'FL3007', message, path: ['network'], isKey: true });
  }
  return problems;
}

/** A name in labels, of a network or of a service. */
export function wordOption({ text }: OptionSchemas, example: string) {
  return text(parseWord, { expects: 'a name', example });
}

export function engineFault(outcome: HttpOutcome): string {
  if (!outcome.ok) return outcome.cause;
  // Errors of the API have their message in JSON; printable characters only, because it goes into logs.
  const given = (parseJson(outcome.text) as { readonly message?: unknown } | null | undefined)?.message;
  const message = typeof given === 'string' ? given.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, MOST_MESSAGE) : '';
  return `the engine answers with status ${outcome.status}${message === '' ? '' : `: ${message}`}`;
}

/** Docker's own URLs for TCP begin with tcp://. */
function parseEngine(text: string): ParsedOption<HttpAddress> {
  if (text.startsWith('tcp://')) {
    const rest = text.slice('tcp://'.length);
    return {
      ok: false,
      message: `${quoted(text)}: write https://${rest}, or http://${rest} for an engine without TLS`,
    };
  }
  return parseHttpAddress(text, DOCKER_PORT);
}

function parseWord(text: string): ParsedOption<string> {
  if (/^[\w.-]{1,128}$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${quoted(text)} is not a name: letters, digits, "_", "-" and "." are allowed` };
}
