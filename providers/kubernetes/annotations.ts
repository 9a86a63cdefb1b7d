// Annotations of Ingress objects, a bounded set: each is one setting of a route, whose schema checks the value.
// Thread: main.

const PREFIX = 'fairlead.dev/';

/** Settings of a route from annotations. */
export interface AnnotatedRoute {
  readonly settings: object;
  readonly redirectsToHttps: boolean;
  /** Annotations that are unknown or malformed. */
  readonly refused: readonly string[];
}

type Settings = Record<string, Record<string, unknown>>;
type Setter = (settings: Settings, value: string) => void;

function below(key: string, option: string, parse: (value: string) => unknown = (value) => value): Setter {
  return (settings, value) => {
    (settings[key] ??= {})[option] = parse(value);
  };
}

const SETTERS: Readonly<Record<string, Setter>> = {
  'strip-prefix': below('rewrite', 'stripPrefix'),
  'add-prefix': below('rewrite', 'addPrefix'),
  'response-timeout': below('timeouts', 'response'),
  'idle-timeout': below('timeouts', 'idle'),
  'retry-attempts': below('retry', 'attempts', (value) => (/^\d+$/.test(value) ? Number(value) : value)),
  'body-limit': below('limits', 'body'),
};

/** Names of the annotations, for messages. */
const ANNOTATIONS: readonly string[] = ['redirect-to-https', ...Object.keys(SETTERS)];

export function annotationsOf(annotations: Readonly<Record<string, string>>): AnnotatedRoute {
  const settings: Settings = {};
  const refused: string[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    if (Object.hasOwn(SETTERS, name)) SETTERS[name]!(settings, value);
    else if (!ANNOTATIONS.includes(name))
      refused.push(`the annotation ${key} is unknown: use ${ANNOTATIONS.join(', ')}`);
  }
  return { settings, redirectsToHttps: annotations[`${PREFIX}redirect-to-https`] === 'true', refused };
}
