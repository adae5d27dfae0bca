/** A document of any kind people state, told apart by its `kind`: policy, server file or intent. */

import { parseDocumentAs } from './checked.ts';
import { didYouMean } from './did-you-mean.ts';
import { ConfigError, quoteStart } from './errors.ts';
import { type Intent, intentKinds, parseIntent } from './intent.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { type ServerConfig, serverSchema } from './server.ts';
import { parseYaml } from './yaml.ts';

export type Document =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'server'; readonly server: ServerConfig }
  | { readonly kind: 'intent'; readonly intent: Intent };

/** Throws a ConfigError with file and line. */
export function parseDocument(text: string, where: string): Document {
  const { value, lineOf } = parseYaml(text, where);
  const kind = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  if (kind === 'Policy') return { kind: 'policy', policy: parsePolicy(text, where) };
  if (kind === 'Server') return { kind: 'server', server: parseDocumentAs(serverSchema, text, where, () => 'server') };
  if (typeof kind === 'string' && intentKinds.includes(kind))
    return { kind: 'intent', intent: parseIntent(text, where) };
  const known = ['Policy', 'Server', ...intentKinds];
  const found =
    kind === undefined ? 'kind is missing' : `kind is ${typeof kind === 'string' ? quoteStart(kind) : 'not a text'}`;
  throw new ConfigError(
    `${where}:${lineOf(['kind'])}: ${found}, expected ${known.join(', ')}${typeof kind === 'string' ? didYouMean(kind, known) : ''}`,
  );
}
