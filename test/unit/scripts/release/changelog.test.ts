// The changelog's sections: reading one, and turning "Unreleased" into a version. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isVersion, releaseSection, sectionOf } from '../../../../scripts/release/changelog.ts';

const CHANGELOG = '# Changes\n\n## Unreleased\n\n- new\n\n## 0.1.0 (2026-01-02)\n\n- first\n';

describe('a section', () => {
  test('is found by its heading, with or without a date', () => {
    assert.equal(sectionOf(CHANGELOG, 'Unreleased'), '- new');
    assert.equal(sectionOf(CHANGELOG, '0.1.0'), '- first');
  });

  test('is undefined where it is missing, empty, or only begins alike', () => {
    assert.equal(sectionOf(CHANGELOG, '0.1'), undefined);
    assert.equal(sectionOf('## Unreleased\n\n## 0.1.0\n\n- first\n', 'Unreleased'), undefined);
  });
});

describe('a release', () => {
  test('dates the unreleased section and begins a new one', () => {
    const released = releaseSection(CHANGELOG, '0.2.0', '2026-03-04');
    assert.equal(released, CHANGELOG.replace('## Unreleased', '## Unreleased\n\n## 0.2.0 (2026-03-04)'));
    assert.equal(sectionOf(released, '0.2.0'), '- new');
    assert.equal(sectionOf(released, 'Unreleased'), undefined);
  });

  test('is refused without entries, and for a version that has a section', () => {
    assert.throws(() => releaseSection('# Changes\n', '0.2.0', ''), /missing or empty/);
    assert.throws(() => releaseSection(CHANGELOG, '0.1.0', ''), /0\.1\.0 has a section already/);
  });

  test('takes semantic versions only', () => {
    for (const text of ['1.0.0', '0.2.10', '1.0.0-rc.1']) assert.ok(isVersion(text), text);
    for (const text of ['1.0', 'v1.0.0', '1.0.0 ', '1.0.0-', '']) assert.ok(!isVersion(text), text);
  });
});
