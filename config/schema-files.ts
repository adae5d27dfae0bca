/** The JSON Schemas that editors check policies, intents and server files with: one file a kind, generated from the zod
 *  sources. `taiji validate --write-schemas config/schemas` writes them; a test says when they are stale. */

import type { z } from 'zod';
import { jsonSchemaOf } from './checked.ts';
import { intentSchema } from './intent.ts';
import { policySchema } from './policy.ts';
import { serverSchema } from './server.ts';

const sources: readonly { readonly name: string; readonly title: string; readonly schema: z.ZodType }[] = [
  { name: 'intent.json', title: 'Taiji intent', schema: intentSchema },
  { name: 'policy.json', title: 'Taiji policy', schema: policySchema },
  { name: 'server.json', title: 'Taiji server', schema: serverSchema },
];

/** File name -> text. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    sources.map(({ name, title, schema }) => [
      name,
      `${JSON.stringify({ title, ...jsonSchemaOf(schema) }, null, 2)}\n`,
    ]),
  );
}
