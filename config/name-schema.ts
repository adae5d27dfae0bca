/** Ids as documents have them. Apart from `ids.ts`, so that whoever only sorts ids does not load the schemas. */

import { z } from 'zod';
import { idPattern } from './ids.ts';

/** A name inside a document; branded where it meets the topology. */
export const nameSchema = z
  .string()
  .normalize('NFC')
  .regex(idPattern)
  .meta({ description: 'a name of 1 to 63 letters, digits, ". _ : -"' });
