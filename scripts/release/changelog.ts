// The sections of CHANGELOG.md, for a release. Pure. Thread: main.

const UNRELEASED = '## Unreleased';
/** MAJOR.MINOR.PATCH with an optional pre-release part (Semantic Versioning 2.0.0). */
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** Whether a text is a version that can be released. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** The text of a section without its heading; undefined where there is none or where it is empty. */
export function sectionOf(changelog: string, heading: string): string | undefined {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => line === `## ${heading}` || line.startsWith(`## ${heading} (`));
  if (start === -1) return undefined;
  const end = lines.findIndex((line, index) => index > start && line.startsWith('## '));
  const text = lines
    .slice(start + 1, end === -1 ? undefined : end)
    .join('\n')
    .trim();
  return text === '' ? undefined : text;
}

/**
 * Turns "Unreleased" into the section of a version and begins a new, empty one above it.
 * @param date YYYY-MM-DD
 * @throws Error where "Unreleased" is missing or empty, or where the version has a section already
 */
export function releaseSection(changelog: string, version: string, date: string): string {
  if (sectionOf(changelog, 'Unreleased') === undefined)
    throw new Error('CHANGELOG.md: "Unreleased" is missing or empty');
  if (sectionOf(changelog, version) !== undefined) throw new Error(`CHANGELOG.md: ${version} has a section already`);
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n\n## ${version} (${date})`);
}
