// `fairlead schema`: the JSON Schema of the configuration, the same as the file fairlead.schema.json. Thread: main.

import { renderEditorSchema } from '../../../config/schema/editor-schema.ts';

export function printSchema(): void {
  process.stdout.write(renderEditorSchema());
}
