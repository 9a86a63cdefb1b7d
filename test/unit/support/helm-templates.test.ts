// The renderer of Helm's templates: white space, scopes and functions as in Helm, and errors. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelmTemplates } from '../../support/helm-templates.ts';

function rendered(template: string, values: unknown = {}): string {
  const parts = '{{- define "part" -}}\n<{{ .name }}>\n{{- end }}';
  const files = new Map([
    ['_parts.tpl', parts],
    ['file', template],
  ]);
  return new HelmTemplates(files).render({ Values: values }).get('file') ?? '';
}

const CASES: readonly (readonly [template: string, values: unknown, text: string])[] = [
  ['a {{- .Values.x -}} b', { x: 1 }, 'a1b'],
  ['a {{ .Values.x }} b', { x: true }, 'a true b'],
  ['{{ if .Values.x }}yes{{ else }}no{{ end }}', { x: [] }, 'no'],
  ['{{ if .Values.x }}x{{ else if .Values.y }}y{{ else }}z{{ end }}', { y: 1 }, 'y'],
  ['{{ with .Values.x }}{{ .y }}{{ $.Values.z }}{{ else }}none{{ end }}', { x: { y: 1 }, z: 2 }, '12'],
  ['{{ with .Values.x }}{{ .y }}{{ else }}none{{ end }}', { x: {} }, 'none'],
  ['{{ range .Values.x }}[{{ . }}]{{ else }}none{{ end }}', { x: ['a', 'b'] }, '[a][b]'],
  ['{{ range .Values.x }}[{{ . }}]{{ else }}none{{ end }}', { x: [] }, 'none'],
  ['{{ include "part" .Values | quote }}', { name: 'n' }, '"<n>"'],
  ['x:{{ toYaml .Values.x | nindent 2 }}', { x: { a: [1], b: 'c' } }, 'x:\n  a:\n    - 1\n  b: c'],
  ['{{ .Values.x | default "d" }}{{ default "d" .Values.y }}', { x: '', y: 'y' }, 'dy'],
  ['{{ and .Values.x (eq .Values.y "b") }} {{ or .Values.z (not .Values.z) }}', { x: 1, y: 'b' }, 'true true'],
  ['{{/* a comment */}}a', {}, 'a'],
];

for (const [template, values, text] of CASES) {
  test(`renders ${template}`, () => assert.equal(rendered(template, values), text));
}

const MISTAKES: readonly (readonly [template: string, error: RegExp])[] = [
  ['{{ .Values.x }}', /there is no such value/],
  ['{{ .Values.x.y }}', /no map to take y from/],
  ['{{ .Values | upper }}', /upper is not in the subset/],
  ['{{ include "nothing" . }}', /not defined/],
  ['{{ if .Values }}', /no end/],
  ['{{ end }}', /closes nothing/],
  ['{{ $x := 1 }}', /not in the subset/],
  ['{{ (not .Values }}', /not closed/],
];

for (const [template, error] of MISTAKES) {
  test(`refuses ${template}`, () => assert.throws(() => rendered(template), error));
}
