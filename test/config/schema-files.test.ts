import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { schemaFiles } from '../../config/schema-files.ts';

const directory = fileURLToPath(new URL('../../config/schemas/', import.meta.url));

test('the committed JSON Schemas are those of the sources (else: taiji validate --write-schemas config/schemas)', () => {
  expect(readdirSync(directory).sort()).toEqual([...schemaFiles().keys()].sort());
  for (const [name, text] of schemaFiles()) expect(readFileSync(`${directory}${name}`, 'utf8'), name).toBe(text);
});
